//! The envelopes that are JSON objects or CSV rows, one entry each.

/// An envelope that is a JSON object on a line.
pub(super) struct ObjectEntry {
    /// The name for the user.
    pub(super) name: &'static str,
    /// Where the line is: paths of keys, the first that most lines have.
    pub(super) texts: &'static [&'static [&'static str]],
    /// Where the time is.
    pub(super) times: &'static [&'static [&'static str]],
    /// Keys of which each line has one.
    pub(super) markers: &'static [&'static str],
    /// Whether no device writes such objects as its own log.
    pub(super) is_certain: bool,
}

const TIMES: &[&[&str]] = &[
    &["@timestamp"],
    &["timestamp"],
    &["time"],
    &["_time"],
    &["date"],
    &["ts"],
    &["TimeGenerated"],
    &["timegenerated"],
    &["timereported"],
    &["ISODATE"],
    &["generated_at"],
    &["datetime"],
    &["timeUnixNano"],
    &["attributes", "timestamp"],
];

/// Sorted: of several entries that fit, the first is tried first.
pub(super) const OBJECTS: &[ObjectEntry] = &[
    ObjectEntry {
        name: "docker json",
        texts: &[&["log"]],
        times: &[&["time"]],
        markers: &["stream"],
        is_certain: true,
    },
    ObjectEntry {
        name: "journald json",
        texts: &[&["MESSAGE"]],
        times: &[&["__REALTIME_TIMESTAMP"], &["_SOURCE_REALTIME_TIMESTAMP"]],
        markers: &["__REALTIME_TIMESTAMP", "__CURSOR", "_BOOT_ID"],
        is_certain: true,
    },
    ObjectEntry {
        name: "syslog-ng json",
        texts: &[&["MESSAGE"], &["MSG"], &["RAWMSG"]],
        times: &[
            &["ISODATE"],
            &["R_ISODATE"],
            &["S_ISODATE"],
            &["C_ISODATE"],
            &["UNIXTIME"],
            &["R_UNIXTIME"],
        ],
        markers: &["PROGRAM", "FACILITY", "PRIORITY", "HOST", "SOURCEIP"],
        is_certain: true,
    },
    // `msg` is without the tag, which has part of Cisco's messages.
    ObjectEntry {
        name: "rsyslog json",
        texts: &[&["rawmsg"]],
        times: &[&["timegenerated"], &["timereported"]],
        markers: &["syslogtag", "inputname", "fromhost-ip"],
        is_certain: true,
    },
    ObjectEntry {
        name: "kcat json",
        texts: &[&["payload"]],
        times: &[&["ts"]],
        markers: &["partition", "offset", "topic"],
        is_certain: true,
    },
    ObjectEntry {
        name: "splunk json",
        texts: &[&["result", "_raw"], &["_raw"]],
        times: &[&["result", "_time"], &["_time"]],
        markers: &[],
        is_certain: false,
    },
    ObjectEntry {
        name: "splunk hec",
        texts: &[&["event"]],
        times: &[&["time"]],
        markers: &["sourcetype", "source", "index"],
        is_certain: false,
    },
    ObjectEntry {
        name: "elastic hit",
        texts: &[&["_source"]],
        times: &[&["_source", "@timestamp"]],
        markers: &["_index", "_id"],
        is_certain: false,
    },
    ObjectEntry {
        name: "elastic fields",
        texts: &[&["fields", "event.original"], &["fields", "message"]],
        times: &[],
        markers: &["_index", "_id"],
        is_certain: false,
    },
    ObjectEntry {
        name: "elastic json",
        texts: &[
            &["event", "original"],
            &["event.original"],
            &["log", "original"],
        ],
        times: &[&["@timestamp"]],
        markers: &[],
        is_certain: false,
    },
    ObjectEntry {
        name: "gelf",
        texts: &[&["full_message"], &["short_message"]],
        times: &[&["timestamp"]],
        markers: &["version", "host"],
        is_certain: false,
    },
    ObjectEntry {
        name: "gcp json",
        texts: &[
            &["textPayload"],
            &["jsonPayload", "message"],
            &["jsonPayload", "log"],
            &["jsonPayload"],
        ],
        times: &[&["timestamp"], &["receiveTimestamp"]],
        markers: &["logName", "insertId", "resource"],
        is_certain: false,
    },
    ObjectEntry {
        name: "loki json",
        texts: &[&["line"]],
        times: &[&["timestamp"], &["ts"], &["date"]],
        markers: &["labels", "fields", "stream", "timestamp"],
        is_certain: false,
    },
    ObjectEntry {
        name: "sentinel json",
        texts: &[&["SyslogMessage"], &["RawData"]],
        times: &[&["TimeGenerated"], &["EventTime"]],
        markers: &[],
        is_certain: false,
    },
    ObjectEntry {
        name: "azure json",
        texts: &[&["properties", "log"], &["LogMessage"], &["LogEntry"]],
        times: &[&["time"], &["TimeGenerated"]],
        markers: &["category", "PodName", "ContainerID"],
        is_certain: false,
    },
    ObjectEntry {
        name: "cloudwatch json",
        texts: &[&["message"], &["@message"]],
        times: &[&["timestamp"], &["@timestamp"]],
        markers: &["ingestionTime", "eventId", "id", "@timestamp"],
        is_certain: false,
    },
    ObjectEntry {
        name: "json",
        texts: &[
            &["message"],
            &["msg"],
            &["log"],
            &["MESSAGE"],
            &["Message"],
            &["rawmsg"],
            &["raw"],
            &["full_log"],
            &["@message"],
            &["@rawstring"],
            &["_line"],
            &["line"],
            &["text"],
            &["body"],
            &["body", "stringValue"],
            &["attributes", "message"],
            &["content", "message"],
            &["content"],
            &["original"],
            &["payload"],
            &["data"],
            &["event"],
        ],
        times: TIMES,
        markers: &[],
        is_certain: false,
    },
];

/// An envelope that is a CSV file with a heading.
pub(super) struct CsvEntry {
    /// The name for the user.
    pub(super) name: &'static str,
    /// The headings of the line's column.
    pub(super) texts: &'static [&'static str],
    /// Headings of which the file has one.
    pub(super) markers: &'static [&'static str],
}

/// Headings of the time's column, without the zone that follows in brackets.
pub(super) const CSV_TIMES: &[&str] = &[
    "_time",
    "@timestamp",
    "timestamp",
    "Time",
    "time",
    "TimeGenerated",
    "EventTime",
    "Date",
    "date",
    "tsNs",
];

/// Sorted: the first that fits is taken.
pub(super) const CSVS: &[CsvEntry] = &[
    CsvEntry {
        name: "splunk csv",
        texts: &["_raw"],
        markers: &[],
    },
    CsvEntry {
        name: "cloudwatch csv",
        texts: &["@message"],
        markers: &[],
    },
    CsvEntry {
        name: "sentinel csv",
        texts: &["SyslogMessage", "RawData"],
        markers: &[],
    },
    CsvEntry {
        name: "grafana csv",
        texts: &["Line", "line"],
        markers: &["tsNs", "labels", "Time"],
    },
    CsvEntry {
        name: "graylog csv",
        texts: &["full_message", "message"],
        markers: &["source", "gl2_source_input"],
    },
    CsvEntry {
        name: "kibana csv",
        texts: &["event.original", "message"],
        markers: &["@timestamp", "_index"],
    },
    CsvEntry {
        name: "csv",
        texts: &[
            "message",
            "Message",
            "msg",
            "log",
            "MESSAGE",
            "event.original",
            "textPayload",
            "raw",
            "raw_log",
            "Raw Log",
            "payload",
            "text",
            "Content",
            "Event",
            "event",
            "Log",
        ],
        markers: &[],
    },
];
