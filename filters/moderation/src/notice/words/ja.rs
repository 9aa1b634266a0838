//! Japanese. The words of approval are those of 承認 workflows.

use super::{Ground, Label, Opening, Remark, Tag, Term, Verb, Ways};
use crate::{
    case::{AtExpiry, Refused},
    numbers::NumberKind,
};

pub(super) const fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Approve => "承認",
        Verb::Reject => "却下",
        Verb::Return => "差戻し",
        Verb::Discard => "破棄",
        Verb::Hold => "保留",
        Verb::Release => "配送",
        Verb::Forward => "他の承認者へ回付",
        Verb::Comment => "コメント",
        Verb::Confirm => "送信する",
        Verb::Decline => "送信しない",
        Verb::Cancel => "送信を取り消す",
        Verb::Open => "詳細を表示",
    }
}

pub(super) const fn term(term: Term) -> &'static str {
    match term {
        Term::Pending => "承認待ち",
        Term::AwaitsOperator => "管理者の確認待ち",
        Term::Moderator => "承認者",
        Term::Sender => "送信者",
        Term::Administrator => "管理者",
        Term::Deputy => "代理承認者",
        Term::Absence => "不在",
        Term::Reminder => "リマインド",
        Term::PostReview => "事後確認",
        Term::Clock => "期限による自動処理",
        Term::NoSubject => "(件名なし)",
        Term::NoName => "(名前なし)",
        Term::NullSender => "(なし)",
    }
}

pub(super) const fn tag(tag: Tag) -> &'static str {
    match tag {
        Tag::Request => "承認依頼",
        Tag::Confirm => "送信確認",
        Tag::Reminder => "承認依頼・再通知",
        Tag::Escalation => "承認依頼・未処理",
        Tag::Forwarded => "承認依頼・回付",
        Tag::HandedOn => "回付",
        Tag::ExpirySoon => "承認期限間近",
        Tag::NoModerator => "承認者不在",
        Tag::Held => "送信保留",
        Tag::Delayed => "送信待機",
        Tag::Approved => "承認済み",
        Tag::Sent => "送信済み",
        Tag::Rejected => "却下",
        Tag::Returned => "差戻し",
        Tag::Discarded => "破棄",
        Tag::Cancelled => "送信取消",
        Tag::Expired => "期限切れ",
        Tag::Gone => "保留終了",
        Tag::Damaged => "破損",
        Tag::Unclear => "返信内容確認",
        Tag::NotDone => "処理不可",
        Tag::Done => "処理完了",
        Tag::Digest => "承認待ち一覧",
        Tag::DigestOfNews => "処理結果一覧",
    }
}

pub(super) const fn label(label: Label) -> &'static str {
    match label {
        Label::From => "差出人",
        Label::EnvelopeSender => "実際の送信元",
        Label::Login => "ログインID",
        Label::Client => "接続元",
        Label::Recipients => "宛先",
        Label::SentTo => "送信先",
        Label::NotSentTo => "送信対象外",
        Label::Subject => "件名",
        Label::Arrival => "受付日時",
        Label::Size => "サイズ",
        Label::Attachments => "添付ファイル",
        Label::Rule => "適用ルール",
        Label::Why => "保留理由",
        Label::Expiry => "承認期限",
        Label::WaitsUntil => "保留期限",
        Label::SentAt => "送信予定",
        Label::Beginning => "本文の冒頭",
        Label::Decision => "処理結果",
        Label::DecidedBy => "処理者",
        Label::DecidedAt => "処理日時",
        Label::Reason => "理由",
        Label::Comment => "コメント",
        Label::Moderators => "承認者",
        Label::Progress => "承認状況",
        Label::History => "これまでの経過",
        Label::Case => "受付番号",
        Label::Outside => "外部",
        Label::Hidden => "BCC",
        Label::LeftOut => "対象外",
        Label::ReleasedInQueue => "キューから直接送信",
        Label::DeletedInQueue => "キューから直接削除",
    }
}

pub(super) fn opening(opening: Opening<'_>) -> String {
    let fixed = match opening {
        Opening::Request => "下記メールの送信について、承認をお願いいたします。",
        Opening::Reminder => {
            "下記メールは承認待ちのままとなっております。ご確認をお願いいたします。"
        }
        Opening::Escalation => {
            "下記メールがまだ処理されていないため、追加で承認をお願いいたします。"
        }
        Opening::Forwarded { by: Some(by) } => {
            return format!("下記メールの承認依頼が、{by} 様より回付されました。");
        }
        Opening::Forwarded { by: None } => "下記メールの承認依頼が回付されました。",
        Opening::ExpirySoon => {
            "下記メールの承認期限が近づいております。お早めにご確認をお願いいたします。"
        }
        Opening::Confirm => {
            "お送りいただいたメールを送信してよろしいか、ご確認をお願いいたします。"
        }
        Opening::ConfirmStill => "お送りいただいたメールは、送信の確認待ちとなっております。",
        Opening::NoModerator { needed } => {
            return format!(
                "承認待ちのメールがありますが、承認できる方が不足しています。(必要な承認: {needed}名)"
            );
        }
        Opening::Held => "お送りいただいたメールは承認待ちです。承認されるまで送信されません。",
        Opening::Delayed { at: Some(at) } => {
            return format!(
                "お送りいただいたメールは {at} に送信されます。それまでは送信を取り消すことができます。"
            );
        }
        Opening::Delayed { at: None } => "お送りいただいたメールはまだ送信されていません。",
        Opening::StillWaiting => {
            "お送りいただいたメールはまだ承認されておらず、送信されていません。"
        }
        Opening::Settled => "下記メールの処理が完了しました。",
        Opening::Approved => "お送りいただいたメールは承認され、送信されました。",
        Opening::PartlyApproved => {
            "お送りいただいたメールは一部の宛先について承認され、その宛先に送信されました。"
        }
        Opening::Sent => "お送りいただいたメールは送信されました。",
        Opening::Rejected => "お送りいただいたメールは却下されたため、送信されませんでした。",
        Opening::Returned => "お送りいただいたメールは差戻しとなったため、送信されませんでした。",
        Opening::Cancelled => "お送りいただいたメールの送信は取り消されました。",
        Opening::Expired => {
            "期限までに承認されなかったため、お送りいただいたメールは送信されませんでした。"
        }
        Opening::Gone => {
            "お送りいただいたメールの保留は終了しました。送信されたかどうかは、メールサーバーの管理者にお問い合わせください。"
        }
        Opening::Damaged => {
            "お送りいただいたメールはサーバー上で破損したため、送信されませんでした。メールはメールサーバーの管理者が保管しています。"
        }
        Opening::AwaitsOperator => {
            "お送りいただいたメールはまだ送信されていません。メールサーバーの管理者による確認を待っています。"
        }
        Opening::NotSent => "お送りいただいたメールは送信されませんでした。",
        Opening::Unclear => "ご返信の内容を判別できなかったため、処理は行われていません。",
        Opening::NotProven => {
            "返信を受け取りましたが、ご本人からの送信であることを確認できなかったため、処理は行われていません。"
        }
        Opening::NotDone => "ご返信の内容を処理できませんでした。",
        Opening::Done => "ご返信のとおり処理いたしました。ありがとうございます。",
        Opening::Digest { count } => {
            return format!("承認待ちのメールが{count}件あります。ご確認をお願いいたします。");
        }
        Opening::DigestOfNews { count } => {
            return format!("メール{count}件の処理が完了しました。");
        }
        Opening::DigestOfAlerts { count } => {
            return format!(
                "承認待ちのメールが{count}件ありますが、承認できる方が不足しています。"
            );
        }
    };
    fixed.to_owned()
}

pub(super) fn remark(remark: Remark<'_>) -> String {
    let fixed = match remark {
        Remark::DeputyOf(whom) => {
            return format!("{whom} 様の代理承認者としてお願いしております。");
        }
        Remark::Step { step, of } => return format!("{of}段階中 {step}段階目"),
        Remark::Votes { given, needed } => return format!("承認 {given}/{needed}名"),
        Remark::AtExpiry(action) => {
            let what = match action {
                AtExpiry::Reject => "却下されます",
                AtExpiry::Release => "送信されます",
                AtExpiry::Discard => "破棄されます",
            };
            return format!("それまでに処理されない場合、メールは自動的に{what}。");
        }
        Remark::NothingToDo => "お手続きは不要です。",
        Remark::SendAgain => "内容を修正のうえ、改めてお送りください。",
        Remark::MayCancel => "処理が完了するまでは、送信を取り消すことができます。",
        Remark::NameSomebody => "承認者を指定するか、直接処理してください。",
        Remark::LinksOnlyShow => {
            "リンクを開くと確認ページが表示されます。ページで確定するまで、処理は行われません。"
        }
        Remark::HowToAnswer { approve, reject } => {
            return format!(
                "このメールへの返信で処理できます。1行目に「{approve}」または「{reject}」とご記入ください。\
                 理由がある場合は、次の行以降にお書きください。"
            );
        }
        Remark::AnswerWithLogIn => {
            "承認依頼メールのリンクをご利用いただくか、社内メールサーバーにログインするメールソフトからご返信ください。"
        }
        Remark::KeepToYourself(ways) => match ways {
            Ways::Links => {
                "このメールを転送しないでください。リンクは、ご本人の名義での処理に使われます。"
            }
            Ways::Answer => {
                "このメールを転送しないでください。返信先アドレスは、ご本人の名義での処理に使われます。"
            }
            Ways::Both => {
                "このメールを転送しないでください。リンクと返信先アドレスは、ご本人の名義での処理に使われます。"
            }
        },
        Remark::PlainLinks => "ボタンが使えない場合は、次のアドレスを開いてください。",
        Remark::MailAttached => "元のメールを添付しています。",
        Remark::HeaderAttached => "元のメールのヘッダーを添付しています。",
        Remark::More(count) => return format!("ほか{count}件"),
        Remark::MorePeople(count) => return format!("ほか{count}名"),
        Remark::TextGoesOn => "(以下省略)",
        Remark::Recipients { all: 1, outside: 1.. } => "1名(外部)",
        Remark::Recipients { all, outside: 0 } => return format!("{all}名"),
        Remark::Recipients { all, outside } => return format!("{all}名(外部{outside}名)"),
        Remark::SentBefore(count) => return format!("ほか{count}名(送信済み)"),
        Remark::Administrator(name) => return format!("管理者 {name}"),
        Remark::Automatic { gateway } => {
            return format!("{gateway} からの自動送信メールです。");
        }
    };
    fixed.to_owned()
}

pub(super) fn ground(ground: Ground<'_>) -> String {
    match ground {
        Ground::Outside(count) => format!("外部の宛先 {count}名"),
        Ground::NewCorrespondent(count) => format!("初めて送信する宛先 {count}名"),
        Ground::Recipients(count) => format!("宛先 {count}名"),
        Ground::Subject(words) => format!("件名: {words}"),
        Ground::Text(words) => format!("本文: {words}"),
        Ground::AttachmentName(words) => format!("添付ファイル名: {words}"),
        Ground::AttachmentType(words) => format!("添付ファイルの種類: {words}"),
        Ground::Attachment => "添付ファイルあり".into(),
        Ground::Size(size) => format!("メールのサイズ: {size}"),
        Ground::Numbers(kind, count) => format!("{} {count}件を検出", number(kind)),
        Ground::Time => "送信の時間帯".into(),
    }
}

const fn number(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::KrResidentNumber => "韓国の住民登録番号",
        NumberKind::JpMyNumber => "マイナンバー(個人番号)",
        NumberKind::FrNir => "フランスの社会保障番号",
        NumberKind::CardNumber => "カード番号",
        NumberKind::Iban => "国際銀行口座番号(IBAN)",
    }
}

pub(super) const fn refusal(refused: &Refused) -> &'static str {
    match refused {
        Refused::Closed(_) => "このメールはすでに処理されています。",
        Refused::Scheduled { .. } => "このメールはすでに承認され、送信予定時刻を待っています。",
        Refused::NotTheirs => "このメールを処理する権限がないか、すでに対象から外れています。",
        Refused::OwnMail => "ご自身のメールを承認することはできません。",
        Refused::VotedAlready { .. } => "すでに承認いただいています。",
        Refused::DecidesAlready => "指定された方はすでにこのメールの承認者です。",
        Refused::Full => "このメールに残せる記録の上限を超えています。",
        Refused::NoWords => "理由をご記入ください。",
        Refused::TooLong => "長すぎます。一度に入力できるのは4,000文字までです。",
        Refused::NoSuchRecipient => "該当する宛先がありません。",
        Refused::NotOwed => "該当する通知はありません。",
        Refused::Past => "送信予定日時をすでに過ぎています。",
        Refused::NoTrust | Refused::TrustTooLong | Refused::NoLogIn => {
            "この送信者の今後のメールを承認不要にすることはできません。"
        }
    }
}
