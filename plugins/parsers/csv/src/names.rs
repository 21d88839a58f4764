//! What a column holds, by its name in the header: English, German, French, Spanish and
//! Japanese, in the words of exports of firewalls, proxies, resolvers and SIEMs.
//!
//! A name is split into words: at blanks and signs, at capital letters (`sourceIp`), between
//! scripts (`送信元IP`) and within compounds (`srcip`, `Zieladresse`).

/// What the name of a column states about its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// URLs that were contacted.
    Url,
    /// Hosts that were contacted or asked for.
    Host,
    /// Addresses that were contacted.
    Address,
    /// An address, of either end.
    AnyAddress,
    /// Who made the contact.
    Client,
    /// The account.
    User,
    /// A date, a time of day, or both.
    Time,
    /// What the device did.
    Action,
    /// Something else: a port, a referrer, the device that wrote the log.
    Other,
    /// The name has no known word.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Client,
    Remote,
    Device,
    Address,
    Host,
    Url,
    Web,
    User,
    Time,
    Action,
    /// A column with this word is not read.
    Barred,
    /// It adds nothing.
    Filler,
}

const WORDS: &[(Word, &[&str])] = &[
    (
        Word::Client,
        &[
            "src",
            "source",
            "client",
            "local",
            "internal",
            "inside",
            "origin",
            "orig",
            "originator",
            "caller",
            "requester",
            "requestor",
            "computer",
            "machine",
            "workstation",
            "endpoint",
            "pc",
            "c",
            "quell",
            "quelle",
            "herkunft",
            "rechner",
            "arbeitsplatz",
            "arbeitsstation",
            "origine",
            "ordinateur",
            "poste",
            "origen",
            "cliente",
            "ordenador",
            "equipo",
            "クライアント",
            "送信元",
            "接続元",
            "発信元",
            "要求元",
            "アクセス元",
            "端末",
            "ソース",
            "コンピュータ",
        ],
    ),
    (
        Word::Remote,
        &[
            "dst",
            "dest",
            "destination",
            "target",
            "remote",
            "server",
            "responder",
            "resp",
            "external",
            "outside",
            "peer",
            "r",
            "ziel",
            "empfänger",
            "cible",
            "serveur",
            "destinataire",
            "distant",
            "distante",
            "destino",
            "servidor",
            "remoto",
            "remota",
            "宛先",
            "あて先",
            "接続先",
            "送信先",
            "アクセス先",
            "通信先",
            "相手",
            "サーバ",
            "サーバー",
            "リモート",
        ],
    ),
    (
        Word::Device,
        &[
            "device",
            "dvc",
            "gateway",
            "firewall",
            "collector",
            "observer",
            "sensor",
            "appliance",
            "logger",
            "s",
            "gerät",
            "geraet",
            "機器",
            "装置",
            "ゲートウェイ",
        ],
    ),
    (
        Word::Address,
        &[
            "ip",
            "ips",
            "ipv4",
            "ipv6",
            "addr",
            "address",
            "adresse",
            "dirección",
            "direccion",
            "アドレス",
        ],
    ),
    (
        Word::Host,
        &[
            "host",
            "hosts",
            "domain",
            "domains",
            "fqdn",
            "site",
            "website",
            "query",
            "queried",
            "qname",
            "question",
            "sni",
            "domäne",
            "domaene",
            "domaine",
            "hôte",
            "hote",
            "dominio",
            "sitio",
            "consulta",
            "ホスト",
            "ドメイン",
            "サイト",
            "クエリ",
        ],
    ),
    (
        Word::Url,
        &[
            "url",
            "urls",
            "uri",
            "link",
            "links",
            "href",
            "request",
            "webseite",
            "lien",
            "enlace",
            "リンク",
        ],
    ),
    (Word::Web, &["web", "internet", "ウェブ"]),
    (
        Word::User,
        &[
            "user",
            "users",
            "account",
            "login",
            "benutzer",
            "anwender",
            "konto",
            "utilisateur",
            "compte",
            "usuario",
            "cuenta",
            "ユーザ",
            "ユーザー",
            "利用者",
            "使用者",
            "アカウント",
        ],
    ),
    (
        Word::Time,
        &[
            "time",
            "timestamp",
            "datetime",
            "date",
            "when",
            "logged",
            "zeit",
            "uhrzeit",
            "datum",
            "zeitstempel",
            "zeitpunkt",
            "stempel",
            "horodatage",
            "heure",
            "fecha",
            "hora",
            "日時",
            "時刻",
            "日付",
            "時間",
            "年月日",
            "タイムスタンプ",
        ],
    ),
    (
        Word::Action,
        &[
            "action",
            "verdict",
            "disposition",
            "decision",
            "status",
            "result",
            "outcome",
            "aktion",
            "maßnahme",
            "massnahme",
            "ergebnis",
            "résultat",
            "resultat",
            "décision",
            "état",
            "etat",
            "statut",
            "acción",
            "accion",
            "resultado",
            "estado",
            "decisión",
            "動作",
            "アクション",
            "処理",
            "処置",
            "判定",
            "結果",
            "ステータス",
            "状態",
            "可否",
        ],
    ),
    (
        Word::Barred,
        &[
            "referer",
            "referrer",
            "referring",
            "from",
            "agent",
            "browser",
            "port",
            "bytes",
            "size",
            "length",
            "len",
            "country",
            "city",
            "region",
            "geo",
            "asn",
            "category",
            "categories",
            "nat",
            "translated",
            "xlate",
            "proxy",
            "forwarder",
            "forwarded",
            "mac",
            "rule",
            "threat",
            "protocol",
            "proto",
            "type",
            "version",
            "answer",
            "answers",
            "reply",
            "response",
            "resolver",
            "nameserver",
            "mail",
            "email",
            "title",
            "method",
            "zone",
            "interface",
            "code",
            "duration",
            "elapsed",
            "latency",
            "ttl",
            "expires",
            "count",
            "hash",
            "parent",
            "verweis",
            "kategorie",
            "protokoll",
            "regel",
            "größe",
            "groesse",
            "land",
            "dauer",
            "typ",
            "methode",
            "titel",
            "référent",
            "referent",
            "navigateur",
            "catégorie",
            "categorie",
            "protocole",
            "règle",
            "regle",
            "taille",
            "pays",
            "durée",
            "duree",
            "méthode",
            "titre",
            "navegador",
            "categoría",
            "categoria",
            "protocolo",
            "regla",
            "tamaño",
            "país",
            "pais",
            "puerto",
            "duración",
            "título",
            "método",
            "参照元",
            "リファラ",
            "エージェント",
            "ポート",
            "プロトコル",
            "サイズ",
            "バイト",
            "国",
            "カテゴリ",
            "ルール",
            "メール",
            "応答",
            "回答",
            "バージョン",
            "種別",
            "種類",
            "件数",
            "タイトル",
            "メソッド",
            "ブラウザ",
            "プロキシ",
        ],
    ),
    (
        Word::Filler,
        &[
            "name", "names", "full", "original", "dns", "id", "nom", "nombre", "file", "名", "の",
        ],
    ),
];

/// What a column with this name holds.
pub(crate) fn meaning_of(name: &[u8]) -> Meaning {
    let name = String::from_utf8_lossy(name);
    let words: Vec<Word> = tokens(&name)
        .iter()
        .flat_map(|token| words_of(token))
        .collect();
    let has = |word| words.contains(&word);
    match () {
        () if has(Word::Barred) => Meaning::Other,
        () if has(Word::User) && has(Word::Address) => Meaning::Client,
        () if has(Word::User) && has(Word::Remote) => Meaning::Other,
        () if has(Word::User) => Meaning::User,
        () if has(Word::Time) => Meaning::Time,
        () if has(Word::Action) => Meaning::Action,
        () if has(Word::Url) && has(Word::Client) => Meaning::Other,
        () if has(Word::Url) && has(Word::Host) => Meaning::Host,
        () if has(Word::Url) || has(Word::Web) && has(Word::Address) => Meaning::Url,
        () if has(Word::Device) => Meaning::Other,
        () if has(Word::Client) => Meaning::Client,
        () if has(Word::Remote) && has(Word::Address) => Meaning::Address,
        () if has(Word::Remote) => Meaning::Host,
        () if has(Word::Address) => Meaning::AnyAddress,
        () if has(Word::Host) => Meaning::Host,
        () => Meaning::Unknown,
    }
}

/// Splits a name at signs, capital letters and changes of script; in small letters.
fn tokens(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut tokens = Vec::new();
    let mut token = String::new();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| chars[at]);
        let after = chars.get(at + 1);
        let begins = before.is_some_and(|before| {
            let is_hump = before.is_lowercase() && c.is_uppercase();
            let ends_acronym = before.is_uppercase()
                && c.is_uppercase()
                && after.is_some_and(|after| after.is_lowercase());
            is_hump || ends_acronym || is_east_asian(before) != is_east_asian(*c)
        });
        if (begins || !c.is_alphanumeric()) && !token.is_empty() {
            tokens.push(std::mem::take(&mut token));
        }
        if c.is_alphanumeric() || is_east_asian(*c) {
            token.extend(c.to_lowercase());
        }
    }
    tokens.push(token);
    tokens
}

/// Kana, Han characters and their marks.
fn is_east_asian(c: char) -> bool {
    c >= '\u{2e80}'
}

/// The known words that make up a token. Japanese has no blanks: there known words count
/// wherever they are.
fn words_of(token: &str) -> Vec<Word> {
    let is_searched = token.starts_with(is_east_asian);
    let mut words = Vec::new();
    let mut rest = token;
    while let Some(first) = rest.chars().next() {
        match longest_word(rest) {
            Some((word, len)) => {
                words.push(word);
                rest = rest.get(len..).unwrap_or_default();
            }
            None if is_searched => rest = rest.get(first.len_utf8()..).unwrap_or_default(),
            None => return exact_word(token).into_iter().collect(),
        }
    }
    words
}

fn exact_word(token: &str) -> Option<Word> {
    let mut all = all_words();
    all.find(|(_, text)| *text == token).map(|(word, _)| word)
}

/// The longest known word at the beginning of a text. A single letter counts only as a whole
/// token.
fn longest_word(text: &str) -> Option<(Word, usize)> {
    let fits = |known: &str| text.starts_with(known) && (known.len() > 1 || known == text);
    all_words()
        .filter(|(_, known)| fits(known))
        .map(|(word, known)| (word, known.len()))
        .max_by_key(|(_, len)| *len)
}

fn all_words() -> impl Iterator<Item = (Word, &'static str)> {
    WORDS
        .iter()
        .flat_map(|(word, texts)| texts.iter().map(|text| (*word, *text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of columns, separated by bars, and what they mean.
    const NAMES: &[(Meaning, &str)] = &[
        (
            Meaning::Url,
            "url|URL|url.original|Request URL|Web-Adresse|リンク|cs-uri|URL/Filename",
        ),
        (
            Meaning::Host,
            "host|Hostname|Destination Host Name|dst|dest_host|Domain|url.domain|dns.question.name|Ziel|Zielhost|Nom de domaine|Hôte de destination|Dominio|宛先ホスト|接続先|ドメイン名|Query",
        ),
        (
            Meaning::Address,
            "dstip|destination.ip|Destination Address|RemoteIP|dst_ip|Zieladresse|Ziel-IP|Adresse IP de destination|Dirección IP de destino|宛先IP|送信先IPアドレス",
        ),
        (
            Meaning::Client,
            "client|srcip|sourceIPAddress|Source|c-ip|Client IP|src_host|Quell-IP|Quelladresse|Rechner|IP source|Adresse IP source|IP de origen|Equipo|クライアントIP|送信元IPアドレス|端末名|user_ip|ComputerName",
        ),
        (
            Meaning::User,
            "user|UserName|cs-username|Benutzername|Utilisateur|Usuario|ユーザー|利用者名",
        ),
        (
            Meaning::Time,
            "time|Date|_time|@timestamp|TimeGenerated [UTC]|Uhrzeit|Datum|Zeitstempel|Horodatage|Date et heure|Fecha y hora|日時|アクセス日時|Receive Time",
        ),
        (
            Meaning::Action,
            "action|Policy Action|Aktion|Maßnahme|Acción|Résultat|動作|処理結果",
        ),
        (Meaning::AnyAddress, "ip|IP-Adresse|IPアドレス|Adresse IP"),
        (
            Meaning::Other,
            "Referer|HTTP Referrer URL|User-Agent|Destination Port|dstport|URL Category|Source NAT IP|Proxy IP|Device IP|s-ip|Visited From|リファラURL|宛先ポート|DNS Server Response|query_type",
        ),
        (Meaning::Unknown, "|x|Artikel|Bemerkung|備考"),
    ];

    #[test]
    fn names_of_the_usual_exports_are_known() {
        for (meaning, names) in NAMES {
            for name in names.split('|') {
                assert_eq!(meaning_of(name.as_bytes()), *meaning, "{name}");
            }
        }
    }
}
