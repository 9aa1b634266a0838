//! Korean. The words of approval are those of 전자결재.

use super::{Ground, Label, Opening, Remark, Tag, Term, Verb, Ways};
use crate::{
    case::{AtExpiry, Refused},
    numbers::NumberKind,
};

pub(super) const fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Approve => "승인",
        Verb::Reject => "반려",
        Verb::Return => "수정 요청",
        Verb::Discard => "폐기",
        Verb::Hold => "보류",
        Verb::Release => "발송",
        Verb::Forward => "다른 승인자에게 전달",
        Verb::Comment => "결재 의견",
        Verb::Confirm => "발송",
        Verb::Decline => "발송 안 함",
        Verb::Cancel => "발송 취소",
        Verb::Open => "상세 보기",
    }
}

pub(super) const fn term(term: Term) -> &'static str {
    match term {
        Term::Pending => "승인 대기",
        Term::AwaitsOperator => "관리자 확인 대기",
        Term::Moderator => "승인자",
        Term::Sender => "발신자",
        Term::Administrator => "관리자",
        Term::Deputy => "대리 승인자",
        Term::Absence => "부재",
        Term::Reminder => "재알림",
        Term::PostReview => "사후 확인",
        Term::Clock => "기한 경과로 자동 처리",
        Term::NoSubject => "(제목 없음)",
        Term::NoName => "(이름 없음)",
        Term::NullSender => "(없음)",
    }
}

pub(super) const fn tag(tag: Tag) -> &'static str {
    match tag {
        Tag::Request => "승인 요청",
        Tag::Confirm => "발송 확인 요청",
        Tag::Reminder => "재알림",
        Tag::Escalation => "미결재 승인 요청",
        Tag::Forwarded => "승인 요청 전달",
        Tag::HandedOn => "전달",
        Tag::ExpirySoon => "승인 기한 임박",
        Tag::NoModerator => "승인자 없음",
        Tag::Held => "발송 보류",
        Tag::Delayed => "지연 발송",
        Tag::Approved => "승인 완료",
        Tag::Sent => "발송 완료",
        Tag::Rejected => "반려",
        Tag::Returned => "수정 요청",
        Tag::Discarded => "폐기",
        Tag::Cancelled => "발송 취소",
        Tag::Expired => "기한 만료",
        Tag::Gone => "보류 종료",
        Tag::Damaged => "손상",
        Tag::Unclear => "회신 확인 필요",
        Tag::NotDone => "처리 안 됨",
        Tag::Done => "처리 완료",
        Tag::Digest => "승인 대기 목록",
        Tag::DigestOfNews => "처리 결과 목록",
    }
}

pub(super) const fn label(label: Label) -> &'static str {
    match label {
        Label::From => "보낸 사람",
        Label::EnvelopeSender => "실제 발신 주소",
        Label::Login => "로그인 계정",
        Label::Client => "접속 위치",
        Label::Recipients => "받는 사람",
        Label::SentTo => "발송 대상",
        Label::NotSentTo => "발송 제외 대상",
        Label::Subject => "제목",
        Label::Arrival => "접수 시각",
        Label::Size => "크기",
        Label::Attachments => "첨부 파일",
        Label::Rule => "적용 규칙",
        Label::Why => "보류 사유",
        Label::Expiry => "승인 기한",
        Label::WaitsUntil => "대기 기한",
        Label::SentAt => "발송 예정",
        Label::Beginning => "본문 앞부분",
        Label::Decision => "처리 결과",
        Label::DecidedBy => "처리자",
        Label::DecidedAt => "처리 시각",
        Label::Reason => "사유",
        Label::Comment => "결재 의견",
        Label::Moderators => "승인자",
        Label::Progress => "결재 단계",
        Label::History => "진행 내역",
        Label::Case => "접수 번호",
        Label::Outside => "외부",
        Label::Hidden => "숨은 참조",
        Label::LeftOut => "제외됨",
        Label::ReleasedInQueue => "대기열에서 직접 발송",
        Label::DeletedInQueue => "대기열에서 직접 삭제",
    }
}

pub(super) fn opening(opening: Opening<'_>) -> String {
    let fixed = match opening {
        Opening::Request => "아래 메일의 발송 승인을 요청드립니다.",
        Opening::Reminder => "아래 메일이 아직 승인을 기다리고 있습니다.",
        Opening::Escalation => "아래 메일이 아직 결재되지 않아 추가로 승인을 요청드립니다.",
        Opening::Forwarded { by: Some(by) } => {
            return format!("아래 메일의 승인 요청이 전달되었습니다. (전달한 사람: {by})");
        }
        Opening::Forwarded { by: None } => "아래 메일의 승인 요청이 전달되었습니다.",
        Opening::ExpirySoon => {
            "아래 메일이 아직 승인을 기다리고 있으며, 승인 기한이 얼마 남지 않았습니다."
        }
        Opening::Confirm => "작성하신 메일의 발송 여부를 확인해 주십시오.",
        Opening::ConfirmStill => "작성하신 메일이 아직 발송 확인을 기다리고 있습니다.",
        Opening::NoModerator { needed } => {
            return format!(
                "승인을 기다리는 메일이 있으나 승인할 수 있는 사람이 부족합니다. (필요한 승인: {needed}명)"
            );
        }
        Opening::Held => "보내신 메일이 승인 대기 중입니다. 승인될 때까지 발송되지 않습니다.",
        Opening::Delayed { at: Some(at) } => {
            return format!(
                "보내신 메일이 {at}에 발송될 예정입니다. 그전까지 발송을 취소하실 수 있습니다."
            );
        }
        Opening::Delayed { at: None } => "보내신 메일이 아직 발송되지 않았습니다.",
        Opening::StillWaiting => "보내신 메일이 아직 승인되지 않아 발송되지 않았습니다.",
        Opening::Settled => "아래 메일의 처리가 완료되었습니다.",
        Opening::Approved => "보내신 메일이 승인되어 발송되었습니다.",
        Opening::PartlyApproved => {
            "보내신 메일이 일부 받는 사람에 대해서만 승인되어 발송되었습니다."
        }
        Opening::Sent => "보내신 메일이 발송되었습니다.",
        Opening::Rejected => "보내신 메일이 반려되어 발송되지 않았습니다.",
        Opening::Returned => "보내신 메일에 대해 수정 요청이 있어 발송되지 않았습니다.",
        Opening::Cancelled => "보내신 메일의 발송이 취소되었습니다.",
        Opening::Expired => "승인 기한까지 결재되지 않아 보내신 메일이 발송되지 않았습니다.",
        Opening::Gone => {
            "보내신 메일의 보류가 종료되었습니다. 발송 여부는 메일 서버 관리자에게 문의해 주십시오."
        }
        Opening::Damaged => {
            "보내신 메일이 서버에서 손상되어 발송되지 않았습니다. 메일은 메일 서버 관리자가 보관하고 있습니다."
        }
        Opening::AwaitsOperator => {
            "보내신 메일이 아직 발송되지 않았습니다. 메일 서버 관리자의 확인을 기다리고 있습니다."
        }
        Opening::NotSent => "보내신 메일이 발송되지 않았습니다.",
        Opening::Unclear => "보내신 회신의 뜻을 확인할 수 없어 아무것도 처리하지 않았습니다.",
        Opening::NotProven => {
            "회신을 받았으나 본인이 보낸 것인지 확인할 수 없어 아무것도 처리하지 않았습니다."
        }
        Opening::NotDone => "보내신 회신의 내용을 처리할 수 없었습니다.",
        Opening::Done => "보내신 회신대로 처리되었습니다. 감사합니다.",
        Opening::Digest { count } => {
            return format!("승인을 기다리는 메일이 {count}건 있습니다.");
        }
        Opening::DigestOfNews { count } => {
            return format!("메일 {count}건의 처리가 완료되었습니다.");
        }
        Opening::DigestOfAlerts { count } => {
            return format!(
                "승인을 기다리는 메일이 {count}건 있으나 승인할 수 있는 사람이 부족합니다."
            );
        }
    };
    fixed.to_owned()
}

pub(super) fn remark(remark: Remark<'_>) -> String {
    let fixed = match remark {
        Remark::DeputyOf(whom) => {
            return format!("{whom} 님의 대리 승인자로서 요청드립니다.");
        }
        Remark::Step { step, of } => return format!("{of}단계 중 {step}단계"),
        Remark::Votes { given, needed } => return format!("승인 {given}/{needed}"),
        Remark::AtExpiry(action) => {
            let what = match action {
                AtExpiry::Reject => "반려됩니다",
                AtExpiry::Release => "발송됩니다",
                AtExpiry::Discard => "폐기됩니다",
            };
            return format!("그때까지 결재되지 않으면 메일이 자동으로 {what}.");
        }
        Remark::NothingToDo => "따로 처리하실 일은 없습니다.",
        Remark::SendAgain => "내용을 수정하신 후 다시 보내 주시기 바랍니다.",
        Remark::MayCancel => "결재가 끝나기 전까지는 발송을 취소하실 수 있습니다.",
        Remark::NameSomebody => "승인자를 지정하시거나 직접 처리해 주시기 바랍니다.",
        Remark::LinksOnlyShow => {
            "링크를 누르면 확인 페이지가 열립니다. 페이지에서 확정하기 전에는 아무것도 처리되지 않습니다."
        }
        Remark::HowToAnswer { approve, reject } => {
            return format!(
                "이 메일에 회신하여 처리하실 수 있습니다. 첫 줄에 \u{2018}{approve}\u{2019} 또는 \
                 \u{2018}{reject}\u{2019}라고 쓰시고, 필요하시면 그 아래에 사유를 적어 주십시오."
            );
        }
        Remark::AnswerWithLogIn => {
            "승인 요청 메일의 링크를 이용하시거나, 회사 메일 서버에 로그인하는 메일 프로그램으로 회신해 주십시오."
        }
        Remark::KeepToYourself(ways) => match ways {
            Ways::Links => {
                "이 메일을 다른 사람에게 전달하지 마십시오. 메일의 링크는 받으신 분의 이름으로 결재하는 데 쓰입니다."
            }
            Ways::Answer => {
                "이 메일을 다른 사람에게 전달하지 마십시오. 회신 주소는 받으신 분의 이름으로 결재하는 데 쓰입니다."
            }
            Ways::Both => {
                "이 메일을 다른 사람에게 전달하지 마십시오. 메일의 링크와 회신 주소는 받으신 분의 이름으로 결재하는 데 쓰입니다."
            }
        },
        Remark::PlainLinks => "버튼이 작동하지 않으면 아래 주소를 이용해 주십시오.",
        Remark::MailAttached => "원본 메일이 첨부되어 있습니다.",
        Remark::HeaderAttached => "원본 메일의 헤더가 첨부되어 있습니다.",
        Remark::More(count) => return format!("외 {count}건"),
        Remark::MorePeople(count) => return format!("외 {count}명"),
        Remark::TextGoesOn => "(이하 생략)",
        Remark::Recipients { all: 1, outside: 1.. } => "1명(외부)",
        Remark::Recipients { all, outside: 0 } => return format!("{all}명"),
        Remark::Recipients { all, outside } => return format!("{all}명(외부 {outside}명)"),
        Remark::SentBefore(count) => return format!("다른 수신자 {count}명(이미 발송됨)"),
        Remark::Administrator(name) => return format!("관리자 {name}"),
        Remark::Automatic { gateway } => {
            return format!("{gateway}에서 자동으로 보낸 알림입니다.");
        }
    };
    fixed.to_owned()
}

pub(super) fn ground(ground: Ground<'_>) -> String {
    match ground {
        Ground::Outside(count) => format!("외부 수신자 {count}명"),
        Ground::NewCorrespondent(count) => format!("처음 메일을 보내는 수신자 {count}명"),
        Ground::Recipients(count) => format!("수신자 {count}명"),
        Ground::Subject(words) => format!("제목: {words}"),
        Ground::Text(words) => format!("본문: {words}"),
        Ground::AttachmentName(words) => format!("첨부 파일 이름: {words}"),
        Ground::AttachmentType(words) => format!("첨부 파일 형식: {words}"),
        Ground::Attachment => "첨부 파일 있음".into(),
        Ground::Size(size) => format!("메일 크기: {size}"),
        Ground::Numbers(kind, count) => format!("{} {count}건 포함", number(kind)),
        Ground::Time => "발송 시간대".into(),
    }
}

const fn number(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::KrResidentNumber => "주민등록번호",
        NumberKind::JpMyNumber => "일본 개인번호(마이넘버)",
        NumberKind::FrNir => "프랑스 사회보장번호",
        NumberKind::CardNumber => "카드 번호",
        NumberKind::Iban => "국제 은행 계좌번호(IBAN)",
    }
}

pub(super) const fn refusal(refused: &Refused) -> &'static str {
    match refused {
        Refused::Closed(_) => "이미 처리된 메일입니다.",
        Refused::Scheduled { .. } => "이미 승인되어 예약 발송을 기다리고 있습니다.",
        Refused::NotTheirs => "이 메일을 결재할 권한이 없거나 더 이상 결재 대상이 아닙니다.",
        Refused::OwnMail => "본인이 보낸 메일은 직접 결재할 수 없습니다.",
        Refused::VotedAlready { .. } => "이미 승인하신 메일입니다.",
        Refused::DecidesAlready => "지정하신 분은 이미 이 메일의 승인자입니다.",
        Refused::Full => "이 메일에 남길 수 있는 기록의 한도를 초과했습니다.",
        Refused::NoWords => "사유를 적어 주셔야 합니다.",
        Refused::TooLong => "너무 깁니다. 한 번에 4,000자까지 입력할 수 있습니다.",
        Refused::NoSuchRecipient => "해당하는 받는 사람이 없습니다.",
        Refused::NotOwed => "해당하는 알림이 없습니다.",
        Refused::Past => "예약 시각이 이미 지났습니다.",
        Refused::NoTrust | Refused::TrustTooLong | Refused::NoLogIn => {
            "이 발신자의 이후 메일을 승인 없이 보내도록 설정할 수 없습니다."
        }
    }
}
