//! The languages of a report. Text that comes from plugins and from VirusTotal is not translated.

use clap::ValueEnum;

/// The language of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportLanguage {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl ReportLanguage {
    /// The code of the language, as HTML has it.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::En => &ENGLISH,
            Self::Ja => &JAPANESE,
        }
    }
}

/// Defines the words of a report: a field for each, and its text in each language.
macro_rules! words {
    ($($name:ident: $english:literal, $japanese:literal;)*) => {
        /// The words of a report. `{}` marks the places of values, in their order.
        pub(super) struct Words {
            $(pub(super) $name: &'static str,)*
        }

        const ENGLISH: Words = Words { $($name: $english,)* };
        const JAPANESE: Words = Words { $($name: $japanese,)* };
    };
}

words! {
    title: "Incident report", "インシデント報告";
    subtitle: "Contacts with known-bad hosts and URLs, from {} log lines in {} inputs",
        "ログ {} 行（入力 {} 件）に見つかった、悪性と判定されたホストと URL への接続";
    generated: "Results of {} UTC", "結果の日時: {} UTC";
    period: "Log period {} – {} UTC", "ログの期間: {} ～ {} UTC";
    skip: "Skip to the bad indicators", "悪性の一覧へ移動";
    contents: "Contents", "目次";
    verdicts: "Verdicts", "判定";
    bad: "Bad", "悪性";
    bad_hint: "judged bad by the policy", "ポリシーが悪性と判定";
    good: "Good", "良性";
    good_hint: "a report exists and the policy judged it good", "レポートがあり、ポリシーが良性と判定";
    not_asked: "Not asked", "未照会";
    not_asked_hint: "not looked up yet: may be bad", "まだ照会していない（悪性の可能性あり）";
    no_answer: "No verdict", "判定なし";
    no_answer_hint: "VirusTotal knows nothing, or no usable answer: may be bad",
        "VirusTotal に情報がない、または有効な回答がない（悪性の可能性あり）";
    not_sent: "Not sent", "送信せず";
    not_sent_hint: "internal names, private addresses, or skipped by the policy: may be bad",
        "内部の名前、プライベートアドレス、ポリシーによる除外（悪性の可能性あり）";
    next: "Next action", "次にすること";
    next_affected: "Clients that contacted bad indicators: {}; allowed at least once: {}. Begin with the first rows of “Who was affected”. Their log lines are printed by:",
        "{} 台のクライアントが悪性の指標に接続しており、うち {} 台は少なくとも一度許可されています。「影響を受けた端末」の表から確認してください。該当するログ行は次のコマンドで表示できます。";
    next_left: "Indicators not asked yet: {}. Until they are, this report is not complete. {} Continue with:",
        "{} 件の指標が未照会のため、この報告は未完です。{} 次のコマンドで再開できます。";
    next_resumes: "The quota is available again at {} UTC.", "割り当ては {} UTC に回復します。";
    next_interrupted: "The run was interrupted.", "実行は中断されました。";
    next_unreachable: "VirusTotal could not be reached; `vthost doctor` checks the connection.",
        "VirusTotal に接続できませんでした。`vthost doctor` で接続を確認できます。";
    next_key: "VirusTotal did not accept the API key; check it first.",
        "VirusTotal が API キーを受け付けませんでした。先にキーを確認してください。";
    next_policy: "A policy failed too often; fix it first.",
        "ポリシーが繰り返し失敗しました。先にポリシーを修正してください。";
    next_waiting: "The run is waiting for the quota and continues by itself.",
        "実行は割り当ての回復を待っており、自動的に続行します。";
    next_judged: "Only stored reports were judged.", "保存済みのレポートだけで判定しました。";
    next_pending: "Indicators whose scan is pending or whose request failed: {}. Ask again later with:",
        "{} 件の指標はスキャン待ち、または照会に失敗しました。後で次のコマンドで再照会してください。";
    next_clear: "Nothing was judged bad. Indicators without a verdict are listed below; they are not cleared.",
        "悪性と判定された指標はありません。判定のない指標は以下のとおりで、安全とは限りません。";
    next_all_clear: "Everything was looked up and nothing was judged bad.",
        "すべて照会し、悪性と判定された指標はありませんでした。";
    bad_indicators: "Bad indicators", "悪性の指標";
    none_bad: "No indicator was judged bad.", "悪性と判定された指標はありません。";
    indicator: "Indicator", "指標";
    kind: "Type", "種別";
    engines: "Engines", "検出エンジン";
    threats: "What they call it", "検出名";
    reason: "Reason", "判定の理由";
    analysed: "Analysed", "解析日時";
    first: "First contact", "最初の接続";
    last: "Last contact", "最後の接続";
    hits: "Contacts", "接続数";
    allowed: "Allowed", "許可";
    blocked: "Blocked", "遮断";
    clients: "Clients", "クライアント数";
    page: "VirusTotal", "VirusTotal";
    open_page: "Open", "開く";
    of_host: "report on its host", "ホストのレポートによる";
    few_engines: "few engines", "検出数が少ない";
    few_engines_hint: "At most two engines report this: it may be a false alarm. `vthost explain` shows the stored report.",
        "検出したエンジンは 2 つ以下で、誤検知の可能性があります。`vthost explain` で保存済みのレポートを確認できます。";
    network: "network of {}", "ネットワーク: {}";
    days_old: "{} days before the run", "実行の {} 日前";
    affected: "Who was affected", "影響を受けた端末";
    affected_intro: "Each client, and user where the log names one, that contacted a bad indicator.",
        "悪性の指標に接続したクライアントと、ログにある場合はユーザー。";
    client: "Client", "クライアント";
    user: "User", "ユーザー";
    contacted: "Bad indicators contacted", "接続した悪性の指標";
    more: "and {} more", "ほか {} 件";
    no_client: "(not in the log)", "（ログになし）";
    none_affected: "The logs name no client of a bad indicator.",
        "悪性の指標に接続したクライアントはログにありません。";
    not_traced: "Contacts are not complete: {}.", "接続の情報は完全ではありません: {}。";
    timeline: "Timeline", "時系列";
    timeline_bad: "Contacts with bad indicators", "悪性の指標への接続";
    timeline_others: "Other contacts: unknown and good", "その他の接続（不明・良性）";
    unknown: "Unknown", "不明";
    peak: "at most {} in {}", "最大 {} 件／{}";
    no_time: "{} contacts have no time and are not shown.", "時刻のない {} 件の接続は表示していません。";
    as_table: "As a table", "表で見る";
    interval: "From (UTC)", "開始 (UTC)";
    details: "Details", "詳細";
    details_intro: "The first log lines that show each bad indicator, and its contacts.",
        "悪性の指標ごとの接続と、最初に現れたログ行。";
    samples: "Log lines", "ログ行";
    result: "Result", "結果";
    others: "Without a verdict, and good", "判定のない指標と良性の指標";
    coverage: "What was read", "読み取った入力";
    input: "Input", "入力";
    format: "Format", "形式";
    size: "Size", "サイズ";
    lines: "Lines", "行数";
    records: "Records", "レコード";
    ignored: "Ignored", "対象外";
    rejected: "Rejected", "解釈不能";
    outcome: "Read", "読み取り";
    outcome_read: "whole", "全体";
    outcome_empty: "empty", "空";
    outcome_copy: "a copy of {}", "{} の複製";
    outcome_no_log: "no log", "ログではない";
    outcome_skipped: "not read", "読み取れず";
    outcome_cut_short: "in part", "途中まで";
    line_sum: "Every line is counted: lines = records + ignored + rejected.",
        "すべての行を数えています（行数 = レコード + 対象外 + 解釈不能）。";
    rejects: "Ignored and rejected lines", "対象外の行と解釈できなかった行";
    not_read: "Not read", "読み取れなかった入力";
    sample: "Sample", "例";
    count: "Count", "件数";
    line_number: "line {}", "{} 行目";
    method: "Method", "方法";
    program: "Program", "プログラム";
    command: "Command", "コマンド";
    started: "Started", "開始";
    written: "Written", "作成";
    requests: "Requests sent", "送信した照会";
    zone: "Times", "時刻";
    zone_text: "Times are in UTC. Log times without a zone were read as UTC{}.",
        "時刻は UTC です。タイムゾーンのないログの時刻は UTC{} として読みました。";
    masked_text: "In URLs and log lines, values that may be secrets (tokens, keys, mail addresses, passwords) are shown as ***.",
        "URL とログ行のうち、秘密の可能性がある値（トークン、鍵、メールアドレス、パスワード）は *** と表示しています。";
    unknown_text: "An indicator is good only if a report exists and a policy judged it good. Everything else without a bad verdict is unknown.",
        "良性とするのは、レポートがありポリシーが良性と判定した場合だけです。悪性でないその他はすべて不明です。";
    settings: "Settings", "設定";
    setting: "Option", "オプション";
    value: "Value", "値";
    plugins: "Plugins", "プラグイン";
    plugin: "Plugin", "プラグイン";
    version: "Version", "バージョン";
    digest: "SHA-256", "SHA-256";
    role_policy: "policy", "ポリシー";
    role_parser: "parser", "パーサー";
    capped: "The table shows {} of {} rows. `results.jsonl` has all of them.",
        "表は {} 行を表示しています（全 {} 行）。すべては `results.jsonl` にあります。";
    filter: "Filter", "絞り込み";
    rows_shown: "{} of {} rows", "{} / {} 行";
    internal_only: "This report contains internal names and addresses. Do not publish it.",
        "この報告には内部の名前とアドレスが含まれます。公開しないでください。";
}

/// A text with values at its places.
pub(super) fn fill(text: &str, values: &[&str]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut values = values.iter();
    let mut parts = text.split("{}");
    filled.push_str(parts.next().unwrap_or_default());
    for part in parts {
        filled.push_str(values.next().copied().unwrap_or_default());
        filled.push_str(part);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_read_as_places() {
        assert_eq!(fill("{} of {}", &["{}", "2"]), "{} of 2");
        assert_eq!(fill("{} and {}", &["1"]), "1 and ");
    }
}
