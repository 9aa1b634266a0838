//! What only pages say. The words that notices use as well stand with the others.

use super::Language;

/// Each word once, with its meaning, in English, Korean, Japanese and French.
macro_rules! words {
    ($($(#[$meaning:meta])* $word:ident = [$en:literal, $ko:literal, $ja:literal, $fr:literal $(,)?];)*) => {
        /// A word or a sentence of a page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum PageWord {
            $($(#[$meaning])* $word,)*
        }

        impl PageWord {
            /// In a language.
            #[must_use]
            pub const fn text(self, language: Language) -> &'static str {
                let [en, ko, ja, fr] = match self {
                    $(Self::$word => [$en, $ko, $ja, $fr],)*
                };
                match language {
                    Language::En => en,
                    Language::Ko => ko,
                    Language::Ja => ja,
                    Language::Fr => fr,
                }
            }
        }
    };
}

words! {
    /// Stands over what can be done.
    YourDecision = [
        "Your decision",
        "결재",
        "承認・却下",
        "Votre décision",
    ];
    /// Stands over what is done less often.
    MoreChoices = [
        "More choices",
        "다른 처리 방법",
        "その他の処理",
        "Autres possibilités",
    ];
    /// Over the words of one who approves; they may be left out.
    CommentIfAny = [
        "Comment for the record (optional)",
        "결재 의견 (선택 사항)",
        "コメント(任意)",
        "Commentaire pour l’historique (facultatif)",
    ];
    /// Over the words of one who refuses; they may be left out.
    ReasonIfAny = [
        "Reason; the sender will read it (optional)",
        "사유 (선택 사항, 발신자에게 전달됩니다)",
        "理由(任意。送信者に伝えられます)",
        "Motif, communiqué à l’expéditeur (facultatif)",
    ];
    /// Over the words of one who gives it back.
    Correction = [
        "What is to be corrected; the sender will read it",
        "수정할 내용 (발신자에게 전달됩니다)",
        "修正していただきたい点(送信者に伝えられます)",
        "Ce qu’il faut corriger, communiqué à l’expéditeur",
    ];
    /// Over the words of one who throws it away; they may be left out.
    RecordIfAny = [
        "Reason for the record (optional)",
        "사유 (선택 사항, 기록용)",
        "理由(任意。記録に残ります)",
        "Motif pour l’historique (facultatif)",
    ];
    /// What throwing away means.
    SilentlyGone = [
        "The mail is thrown away, and its sender is not told.",
        "메일을 폐기하며, 발신자에게 알리지 않습니다.",
        "メールは破棄され、送信者には通知されません。",
        "Le message est supprimé sans que son expéditeur en soit averti.",
    ];
    /// Over words that decide nothing.
    OnlySaid = [
        "Comment; the mail goes on waiting",
        "의견 (메일은 계속 승인을 기다립니다)",
        "コメント(メールは承認待ちのままです)",
        "Commentaire\u{a0}; le message reste en attente",
    ];
    /// Over the address of somebody else who is to decide.
    ForwardTo = [
        "Address of the other moderator",
        "전달받을 승인자의 메일 주소",
        "回付先の承認者のメールアドレス",
        "Adresse de l’autre modérateur",
    ];
    /// Over the recipients who are to get it.
    WhoGetsIt = [
        "Send to",
        "발송 대상",
        "送信先",
        "Envoyer à",
    ];
    /// Over the time at which it is sent. The zone comes behind it.
    SendLater = [
        "Send at a later time (optional)",
        "예약 발송 시각 (선택 사항)",
        "送信予定日時(任意)",
        "Heure d’envoi différé, facultatif",
    ];
    /// Over the days for which its sender needs no approval.
    TrustSender = [
        "Let further mail of this sender go without approval for so many days",
        "이 발신자의 메일을 승인 없이 발송할 기간(일)",
        "この送信者のメールを承認なしで送信する日数",
        "Dispenser cet expéditeur de validation pendant (jours)",
    ];
    /// Of the days: none.
    NotTrusted = [
        "none",
        "없음",
        "なし",
        "aucun",
    ];
    /// The reader need not decide at this very moment.
    OpeningDecidesNothing = [
        "Opening this page decides nothing.",
        "이 페이지를 여는 것만으로는 아무것도 처리되지 않습니다.",
        "このページを開いただけでは、処理は行われません。",
        "Ouvrir cette page ne décide de rien.",
    ];
    /// Who has opened pages of this mail.
    Opened = [
        "This page was opened by",
        "페이지 열람 기록",
        "ページの閲覧記録",
        "Cette page a été ouverte par",
    ];
    /// Of such a visit: no person, probably.
    Scanner = [
        "probably a link scanner",
        "링크 검사 프로그램으로 추정",
        "リンク検査プログラムの可能性",
        "sans doute un analyseur de liens",
    ];
    /// The title of the page behind a link that is none.
    NothingHere = [
        "There is nothing behind this link",
        "유효하지 않은 링크입니다",
        "このリンクは無効です",
        "Ce lien ne mène à rien",
    ];
    /// What to do about it.
    NothingHereHelp = [
        "It is mistyped, or it has expired. Please open the link in the latest notice again, or ask those who run the mail system.",
        "주소가 잘못되었거나 기한이 지났습니다. 가장 최근에 받은 알림의 링크를 다시 여시거나 메일 시스템 관리자에게 문의해 주십시오.",
        "アドレスに誤りがあるか、有効期限が切れています。最新の通知にあるリンクを開き直すか、メールシステムの管理者にお問い合わせください。",
        "Il est mal copié, ou sa validité est passée. Merci de rouvrir le lien du dernier avis reçu, ou de vous adresser à l’administrateur de la messagerie.",
    ];
    /// The page had been used, or was open for too long.
    TooOld = [
        "This page had been used or was open for too long. Nothing has changed. Please choose again.",
        "이미 사용되었거나 너무 오래 열려 있던 페이지입니다. 아무것도 처리되지 않았습니다. 다시 선택해 주십시오.",
        "このページはすでに使用されたか、長時間開かれたままでした。処理は行われていません。もう一度お選びください。",
        "Cette page avait déjà servi, ou est restée ouverte trop longtemps. Rien n’a changé. Merci de choisir à nouveau.",
    ];
    /// The browser keeps no cookies.
    NoCookie = [
        "Your browser did not keep the cookie of this page. Nothing has changed. Please allow cookies for this site and choose again.",
        "브라우저에 이 페이지의 쿠키가 저장되지 않았습니다. 아무것도 처리되지 않았습니다. 이 사이트의 쿠키를 허용한 후 다시 선택해 주십시오.",
        "ブラウザーにこのページのCookieが保存されていません。処理は行われていません。このサイトのCookieを許可してから、もう一度お選びください。",
        "Votre navigateur n’a pas conservé le cookie de cette page. Rien n’a changé. Merci d’autoriser les cookies de ce site et de choisir à nouveau.",
    ];
    /// The address is not that of somebody who may decide.
    NoModerator = [
        "Nobody with this address decides about mail here. Nothing has changed.",
        "승인자로 등록되지 않은 주소입니다. 아무것도 처리되지 않았습니다.",
        "承認者として登録されていないアドレスです。処理は行われていません。",
        "Cette adresse n’est celle d’aucun modérateur. Rien n’a changé.",
    ];
    /// The time is none, or is over.
    NoTime = [
        "This time is over, or it is none. Nothing has changed.",
        "예약 시각이 올바르지 않거나 이미 지났습니다. 아무것도 처리되지 않았습니다.",
        "送信予定日時が正しくないか、すでに過ぎています。処理は行われていません。",
        "Cette heure est passée, ou n’en est pas une. Rien n’a changé.",
    ];
    /// It is not this reader who may do that.
    NotOffered = [
        "You cannot do this with this mail, or not any more. Nothing has changed.",
        "이 메일에 대해 더 이상 처리할 수 없는 항목입니다. 아무것도 처리되지 않았습니다.",
        "このメールについて、その処理は行えません。処理は行われていません。",
        "Cela n’est pas possible pour ce message, ou ne l’est plus. Rien n’a changé.",
    ];
    /// It could not be done now.
    Failed = [
        "This could not be done now. Nothing has changed. Please try again later.",
        "지금은 처리할 수 없습니다. 아무것도 처리되지 않았습니다. 잠시 후 다시 시도해 주십시오.",
        "ただいま処理できません。処理は行われていません。しばらくしてからもう一度お試しください。",
        "Cela n’a pas pu être fait. Rien n’a changé. Merci de réessayer plus tard.",
    ];
    /// An administrator has handled the mail outside of its case.
    Handled = [
        "An administrator has handled this mail in the meantime.",
        "관리자가 이미 이 메일을 처리하였습니다.",
        "このメールは、すでに管理者が処理しました。",
        "Un administrateur a traité ce message entre-temps.",
    ];
    /// The browser did not send what the page makes it send.
    NotUnderstood = [
        "Your browser did not send what this page asks for. Nothing has changed. Please choose again.",
        "브라우저가 보낸 내용을 처리할 수 없습니다. 아무것도 처리되지 않았습니다. 다시 선택해 주십시오.",
        "ブラウザーから送られた内容を処理できませんでした。処理は行われていません。もう一度お選びください。",
        "Votre navigateur n’a pas envoyé ce que cette page demande. Rien n’a changé. Merci de choisir à nouveau.",
    ];
    /// Over the fields for name and password.
    LogIn = [
        "Log in",
        "로그인",
        "ログイン",
        "S’identifier",
    ];
    /// Why.
    LogInWhy = [
        "This mail is shown after you have logged in, as for sending mail.",
        "이 메일은 로그인하신 후에 볼 수 있습니다. 메일을 보낼 때와 같은 계정을 사용해 주십시오.",
        "このメールはログイン後に表示されます。メール送信時と同じアカウントをお使いください。",
        "Ce message s’affiche une fois que vous êtes identifié, comme pour envoyer un message.",
    ];
    /// Over the name.
    LogInName = [
        "Login name",
        "로그인 계정",
        "ログインID",
        "Identifiant",
    ];
    /// Over the password.
    Password = [
        "Password",
        "비밀번호",
        "パスワード",
        "Mot de passe",
    ];
    /// The log-in failed, whatever the reason.
    LogInFailed = [
        "Name or password is wrong, or this account is not the one that decides.",
        "계정 또는 비밀번호가 올바르지 않거나, 결재할 수 있는 계정이 아닙니다.",
        "ログインIDまたはパスワードが正しくないか、承認者のアカウントではありません。",
        "Identifiant ou mot de passe incorrect, ou ce compte n’est pas celui qui décide.",
    ];
    /// There were too many failures.
    LogInLater = [
        "There were too many attempts. Please wait a while and try again.",
        "로그인 시도가 너무 많았습니다. 잠시 후 다시 시도해 주십시오.",
        "ログインの試行回数が多すぎます。しばらくしてからもう一度お試しください。",
        "Il y a eu trop d’essais. Merci de patienter avant de réessayer.",
    ];
}
