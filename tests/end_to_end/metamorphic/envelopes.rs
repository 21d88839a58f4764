//! The envelopes as the collectors write them. One entry is one way to wrap a line.

use serde_json::{Value, json};

use super::variant::Variant;

/// A line of a sample inside a collector.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) number: usize,
}

/// A collector that writes a JSON object for each line.
type Object = (&'static str, fn(Line<'_>) -> String);

/// A collector that puts something in front of each line.
type Prefix = (&'static str, fn(Line<'_>) -> String);

/// A collector that writes a table or a document.
type Document = (&'static str, fn(&[Line<'_>]) -> Variant);

/// 2024-05-01T12:00:05Z, in seconds since 1970.
const BASE_S: u64 = 1_714_564_805;

impl Line<'_> {
    fn epoch_s(self) -> u64 {
        BASE_S + self.number as u64
    }

    /// `12:00:05`.
    fn clock(self) -> String {
        let second = 5 + self.number;
        format!("12:{:02}:{:02}", second / 60, second % 60)
    }

    /// `2024-05-01T12:00:05.123456789Z`.
    fn nano(self) -> String {
        format!("2024-05-01T{}.123456789Z", self.clock())
    }

    /// `2024-05-01T12:00:05.123Z`.
    fn milli(self) -> String {
        format!("2024-05-01T{}.123Z", self.clock())
    }

    /// `2024-05-01T12:00:05.123456+00:00`.
    fn offset(self) -> String {
        format!("2024-05-01T{}.123456+00:00", self.clock())
    }

    fn ms(self) -> u64 {
        self.epoch_s() * 1000 + 123
    }

    fn us(self) -> u64 {
        self.ms() * 1000 + 456
    }

    fn ns(self) -> u64 {
        self.us() * 1000 + 789
    }

    fn quoted(self) -> String {
        quoted(self.text)
    }

    fn csv(self) -> String {
        csv(self.text)
    }
}

/// A JSON string with as few escapes as there can be.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A JSON string as Go's encoder writes it.
fn go_quoted(text: &str) -> String {
    let text = quoted(text);
    let text = text.replace('<', "\\u003c").replace('>', "\\u003e");
    text.replace('&', "\\u0026")
}

/// A JSON string with escaped slashes, as rsyslog and PHP write it.
fn slash_quoted(text: &str) -> String {
    quoted(text).replace('/', "\\/")
}

/// A JSON string in ASCII, as Python writes it.
fn ascii_quoted(text: &str) -> String {
    let mut ascii = String::new();
    for character in quoted(text).chars() {
        match character {
            ' '..='~' => ascii.push(character),
            _ => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    ascii
}

/// A cell of a CSV file, in quotes.
fn csv(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Objects on a line each. They also come in arrays, pretty-printed, and nested.
pub(super) const OBJECTS: &[Object] = &[
    ("docker json", |line| {
        let log = go_quoted(&format!("{}\n", line.text));
        format!(
            r#"{{"log":{log},"stream":"stdout","time":"{}"}}"#,
            line.nano()
        )
    }),
    ("docker json with attributes", |line| {
        let log = go_quoted(&format!("{}\n", line.text));
        let time = line.nano();
        format!(r#"{{"log":{log},"stream":"stderr","attrs":{{"tag":"web/1"}},"time":"{time}"}}"#)
    }),
    ("journald json", |line| {
        format!(
            r#"{{"_PID":"77","SYSLOG_IDENTIFIER":"app","MESSAGE":{},"PRIORITY":"6","_HOSTNAME":"gw","__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"{}","_BOOT_ID":"b1","__MONOTONIC_TIMESTAMP":"77"}}"#,
            line.quoted(),
            line.us()
        )
    }),
    ("journald json of bytes", |line| {
        let bytes: Vec<u8> = line.text.bytes().collect();
        format!(
            r#"{{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"{}","_HOSTNAME":"gw","MESSAGE":{}}}"#,
            line.us(),
            json!(bytes)
        )
    }),
    ("rsyslog json", |line| {
        format!(
            r#"{{"timestamp":"{}","host":"gw","severity":"info","facility":"daemon","syslogtag":"app[77]:","message":{}}}"#,
            line.offset(),
            slash_quoted(&format!(" {}", line.text))
        )
    }),
    ("rsyslog jsonmesg", |line| {
        let raw = quoted(&format!(
            "<30>May  1 {} gw app[77]: {}",
            line.clock(),
            line.text
        ));
        let time = line.offset();
        format!(
            r#"{{"msg":{},"rawmsg":{raw},"timereported":"{time}","hostname":"gw","syslogtag":"app[77]:","inputname":"imudp","fromhost":"gw","fromhost-ip":"192.0.2.250","pri":"30","syslogfacility":"3","syslogseverity":"6","timegenerated":"{time}","programname":"app","protocol-version":"0","structured-data":"-","app-name":"app","procid":"77","msgid":"-","uuid":null,"$!":null}}"#,
            quoted(&format!(" {}", line.text))
        )
    }),
    ("syslog-ng json", |line| {
        format!(
            r#"{{"SOURCE":"s_src","PROGRAM":"app","PRIORITY":"info","PID":"77","MESSAGE":{},"LEGACY_MSGHDR":"app[77]: ","HOST_FROM":"gw","HOST":"gw","FACILITY":"daemon","DATE":"May  1 {}"}}"#,
            line.quoted(),
            line.clock()
        )
    }),
    ("syslog-ng json with a time", |line| {
        format!(
            r#"{{"PROGRAM":"app","PRIORITY":"info","PID":"77","MESSAGE":{},"ISODATE":"{}","HOST":"gw","FACILITY":"daemon","DATE":"May  1 {}"}}"#,
            line.quoted(),
            line.offset(),
            line.clock()
        )
    }),
    ("filebeat", |line| {
        format!(
            r#"{{"@timestamp":"{}","@metadata":{{"beat":"filebeat","type":"_doc","version":"8.13.0"}},"log":{{"offset":77,"file":{{"path":"/var/log/app.log"}}}},"message":{},"input":{{"type":"filestream"}},"agent":{{"type":"filebeat","name":"gw","version":"8.13.0"}},"ecs":{{"version":"8.0.0"}},"host":{{"name":"gw","ip":["192.0.2.250"]}}}}"#,
            line.milli(),
            go_quoted(line.text)
        )
    }),
    ("logstash", |line| {
        format!(
            r#"{{"@version":"1","event":{{"original":{0}}},"host":{{"ip":"192.0.2.250","name":"gw"}},"message":{0},"@timestamp":"{1}","tags":["_grokparsefailure"]}}"#,
            line.quoted(),
            line.nano()
        )
    }),
    ("elastic event.original", |line| {
        format!(
            r#"{{"@timestamp":"{}","event.original":{},"agent.name":"gw","event.module":"app"}}"#,
            line.milli(),
            line.quoted()
        )
    }),
    ("elastic hit", |line| {
        format!(
            r#"{{"_index":"logs-1","_id":"x{}","_score":1.0,"_source":{{"@timestamp":"{}","message":{},"host":{{"name":"gw"}}}}}}"#,
            line.number,
            line.milli(),
            line.quoted()
        )
    }),
    ("elastic hit with event.original", |line| {
        format!(
            r#"{{"_index":"logs-1","_id":"x{}","_version":1,"_source":{{"event":{{"original":{},"ingested":"2024-05-01T13:00:00Z"}},"@timestamp":"{}"}},"sort":[{}]}}"#,
            line.number,
            line.quoted(),
            line.milli(),
            line.ms()
        )
    }),
    ("elastic hit with fields", |line| {
        format!(
            r#"{{"_index":"logs-1","_id":"x{}","_score":null,"fields":{{"@timestamp":["{}"],"message":[{}],"host.name":["gw"]}}}}"#,
            line.number,
            line.milli(),
            line.quoted()
        )
    }),
    ("splunk json", |line| {
        format!(
            r#"{{"preview":false,"offset":{},"result":{{"_bkt":"main~1","_cd":"1:77","_raw":{},"_time":"2024-05-01 {}.123 UTC","host":"gw","index":"main","source":"/var/log/app.log","sourcetype":"app"}}}}"#,
            line.number,
            line.quoted(),
            line.clock()
        )
    }),
    ("splunk hec", |line| {
        format!(
            r#"{{"time":{}.123,"host":"gw","source":"/var/log/app.log","sourcetype":"app","index":"main","event":{}}}"#,
            line.epoch_s(),
            line.quoted()
        )
    }),
    ("gelf short_message", |line| {
        format!(
            r#"{{"version":"1.1","host":"gw","short_message":{},"timestamp":{}.123,"level":6,"_facility":"daemon"}}"#,
            line.quoted(),
            line.epoch_s()
        )
    }),
    ("gelf full_message", |line| {
        let short: String = line.text.chars().take(16).collect();
        format!(
            r#"{{"version":"1.1","host":"gw","short_message":{},"full_message":{},"timestamp":{}.123,"level":6,"_source":"app"}}"#,
            quoted(&short),
            quoted(&format!(
                "<30>May  1 {} gw app[77]: {}",
                line.clock(),
                line.text
            )),
            line.epoch_s()
        )
    }),
    ("logcli jsonl", |line| {
        format!(
            r#"{{"labels":{{"app":"web","host":"gw"}},"line":{},"timestamp":"{}"}}"#,
            go_quoted(line.text),
            line.nano()
        )
    }),
    ("grafana json", |line| {
        format!(
            r#"{{"line":{},"timestamp":"{}","date":"{}","fields":{{"app":"web"}}}}"#,
            line.quoted(),
            line.ns(),
            line.milli()
        )
    }),
    ("aws logs event", |line| {
        format!(
            r#"{{"logStreamName":"app","timestamp":{},"message":{},"ingestionTime":{},"eventId":"37{}"}}"#,
            line.ms(),
            ascii_quoted(line.text),
            line.ms() + 500,
            line.number
        )
    }),
    ("cloudwatch insights json", |line| {
        format!(
            r#"{{"@timestamp":"2024-05-01 {}.123","@message":{},"@logStream":"app"}}"#,
            line.clock(),
            line.quoted()
        )
    }),
    ("gcp textPayload", |line| {
        format!(
            r#"{{"insertId":"1kx{}","labels":{{"instance_name":"gw"}},"logName":"projects/p/logs/app","receiveTimestamp":"{}","resource":{{"labels":{{"instance_id":"7"}},"type":"gce_instance"}},"textPayload":{},"timestamp":"{}"}}"#,
            line.number,
            line.nano(),
            line.quoted(),
            line.nano()
        )
    }),
    ("gcp jsonPayload", |line| {
        format!(
            r#"{{"insertId":"1kx{}","jsonPayload":{{"message":{},"pid":"77"}},"logName":"projects/p/logs/app","resource":{{"type":"gce_instance","labels":{{}}}},"severity":"INFO","timestamp":"{}"}}"#,
            line.number,
            line.quoted(),
            line.nano()
        )
    }),
    ("sentinel json", |line| {
        format!(
            r#"{{"Computer":"gw","Facility":"daemon","HostIP":"192.0.2.250","ProcessName":"app","SyslogMessage":{},"TableName":"PrimaryResult","TimeGenerated":"{}"}}"#,
            line.quoted(),
            line.milli()
        )
    }),
    ("azure container log", |line| {
        format!(
            r#"{{"time":"{}","category":"ContainerLogs","operationName":"Logs","properties":{{"log":{},"stream":"stdout","pod":"web-1"}}}}"#,
            line.nano(),
            quoted(&format!("{}\n", line.text))
        )
    }),
    ("fluent bit json", |line| {
        format!(
            r#"{{"date":{}.123,"log":{}}}"#,
            line.epoch_s(),
            line.quoted()
        )
    }),
    ("fluent bit kubernetes", |line| {
        format!(
            r#"{{"@timestamp":"{}","log":{},"stream":"stdout","time":"{}","kubernetes":{{"pod_name":"web-1","host":"gw"}}}}"#,
            line.milli(),
            quoted(&format!("{}\n", line.text)),
            line.nano()
        )
    }),
    ("vector", |line| {
        format!(
            r#"{{"file":"/var/log/app.log","host":"gw","message":{},"source_type":"file","timestamp":"{}"}}"#,
            line.quoted(),
            line.nano()
        )
    }),
    ("kcat", |line| {
        format!(
            r#"{{"topic":"logs","partition":0,"offset":{},"tstype":"create","ts":{},"broker":1,"key":null,"payload":{}}}"#,
            line.number,
            line.ms(),
            line.quoted()
        )
    }),
    ("wazuh archive", |line| {
        format!(
            r#"{{"timestamp":"2024-05-01T{}.123+0000","agent":{{"id":"001","name":"gw","ip":"192.0.2.250"}},"manager":{{"name":"siem"}},"id":"17{}","full_log":{},"decoder":{{}},"location":"/var/log/app.log"}}"#,
            line.clock(),
            line.number,
            line.quoted()
        )
    }),
    ("opentelemetry", |line| {
        format!(
            r#"{{"timeUnixNano":"{}","observedTimeUnixNano":"{}","body":{{"stringValue":{}}},"attributes":[{{"key":"log.file.name","value":{{"stringValue":"app.log"}}}}]}}"#,
            line.ns(),
            line.ns(),
            line.quoted()
        )
    }),
    ("datadog", |line| {
        format!(
            r#"{{"id":"AQ{}","type":"log","attributes":{{"service":"app","host":"gw","message":{},"status":"info","timestamp":"{}","tags":["a:b"]}}}}"#,
            line.number,
            line.quoted(),
            line.milli()
        )
    }),
];

/// Prefixes of lines.
pub(super) const PREFIXES: &[Prefix] = &[
    ("cri", |line| {
        format!("{} stdout F {}", line.nano(), line.text)
    }),
    ("cri in parts", |line| {
        let middle = middle(line.text);
        let (first, last) = line.text.split_at(middle);
        let time = line.nano();
        format!("{time} stderr P {first}\n{time} stderr F {last}")
    }),
    ("docker json in parts", |line| {
        let (first, last) = line.text.split_at(middle(line.text));
        let time = line.nano();
        let (first, last) = (go_quoted(first), go_quoted(&format!("{last}\n")));
        format!(
            "{{\"log\":{first},\"stream\":\"stdout\",\"time\":\"{time}\"}}\n{{\"log\":{last},\"stream\":\"stdout\",\"time\":\"{time}\"}}"
        )
    }),
    ("kubectl logs --timestamps", |line| {
        format!("{} {}", line.nano(), line.text)
    }),
    ("kubectl logs --prefix", |line| {
        format!("[pod/web-1/proxy] {}", line.text)
    }),
    ("kubectl logs --prefix --timestamps", |line| {
        format!("[pod/web-1/proxy] {} {}", line.nano(), line.text)
    }),
    ("docker compose logs", |line| {
        format!("web-1  | {}", line.text)
    }),
    ("docker compose logs -t", |line| {
        format!("web-1  | {} {}", line.nano(), line.text)
    }),
    ("journald short", |line| {
        format!("May 01 {} gw app[77]: {}", line.clock(), line.text)
    }),
    ("journald short-precise", |line| {
        format!("May 01 {}.123456 gw app[77]: {}", line.clock(), line.text)
    }),
    ("journald short-iso", |line| {
        format!("2024-05-01T{}+0000 gw app[77]: {}", line.clock(), line.text)
    }),
    ("journald short-iso-precise", |line| {
        format!(
            "2024-05-01T{}.123456+00:00 gw app[77]: {}",
            line.clock(),
            line.text
        )
    }),
    ("journald short-full", |line| {
        format!(
            "Wed 2024-05-01 {} UTC gw app[77]: {}",
            line.clock(),
            line.text
        )
    }),
    ("journald short-unix", |line| {
        format!("{}.123456 gw app[77]: {}", line.epoch_s(), line.text)
    }),
    ("journald short-monotonic", |line| {
        format!("[  77.12345{}] gw app[77]: {}", line.number % 10, line.text)
    }),
    ("journald with-unit", |line| {
        format!(
            "Wed 2024-05-01 {} UTC gw app.service[77]: {}",
            line.clock(),
            line.text
        )
    }),
    ("logcli", |line| {
        format!(
            "2024-05-01T{}Z {{app=\"web\", host=\"gw\"}} {}",
            line.clock(),
            line.text
        )
    }),
    ("logcli without labels", |line| {
        format!("2024-05-01T{}Z {{}} {}", line.clock(), line.text)
    }),
    ("cloudwatch export", |line| {
        format!("{} {}", line.milli(), line.text)
    }),
    ("aws logs tail", |line| {
        format!("{} app/web/77 {}", line.offset(), line.text)
    }),
    ("aws logs tail --format short", |line| {
        format!("2024-05-01T{} {}", line.clock(), line.text)
    }),
    ("fluentd file", |line| {
        format!(
            "2024-05-01T{}+00:00\tapp.web\t{{\"message\":{}}}",
            line.clock(),
            line.quoted()
        )
    }),
    ("fluentd stdout", |line| {
        format!(
            "2024-05-01 {}.123456789 +0000 app.web: {{\"message\":{}}}",
            line.clock(),
            line.quoted()
        )
    }),
    ("fluent bit file", |line| {
        format!(
            "app.web: [{}.123456000, {{\"log\":{}}}]",
            line.epoch_s(),
            line.quoted()
        )
    }),
];

/// An envelope of each kind: what every sample is wrapped in.
pub(super) const OF_EACH_KIND: [&str; 8] = [
    "docker json",
    "docker json in parts",
    "rsyslog jsonmesg",
    "cri in parts",
    "journald short-iso",
    "journald export",
    "kibana csv",
    "cloudwatch subscription",
];

/// The middle of a text, between two characters.
fn middle(text: &str) -> usize {
    let half = text.len() / 2;
    (half..text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// Tables and documents.
pub(super) const DOCUMENTS: &[Document] = &[
    ("journald json-seq", |lines| {
        let blocks = each(lines, |line| {
            format!(
                "\u{1e}{{\"__REALTIME_TIMESTAMP\":\"{}\",\"MESSAGE\":{},\"_HOSTNAME\":\"gw\"}}",
                line.us(),
                line.quoted()
            )
        });
        Variant::of_lines("", &blocks)
    }),
    ("journald json-sse", |lines| {
        let blocks = each(lines, |line| {
            format!(
                "data: {{\"__REALTIME_TIMESTAMP\":\"{}\",\"MESSAGE\":{},\"_HOSTNAME\":\"gw\"}}\n",
                line.us(),
                line.quoted()
            )
        });
        Variant::of_lines("", &blocks)
    }),
    ("journald export", |lines| {
        let blocks = each(lines, |line| {
            format!(
                "__CURSOR=s=1;i={}\n__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP=77\n_BOOT_ID=b1\n_HOSTNAME=gw\nPRIORITY=6\nMESSAGE={}\n_PID=77\n",
                line.number,
                line.us(),
                line.text
            )
        });
        Variant::of_lines("", &blocks)
    }),
    ("splunk csv", |lines| {
        let rows = each(lines, |line| {
            format!(
                "{},\"2024-05-01T{}.123+0000\",gw,main,1,\"/var/log/app.log\",app,siem",
                line.csv(),
                line.clock()
            )
        });
        let heading = "\"_raw\",\"_time\",host,index,linecount,source,sourcetype,\"splunk_server\"";
        table(heading, &rows)
    }),
    ("splunk csv with the line last", |lines| {
        let rows = each(lines, |line| {
            format!("\"2024-05-01T{}.123+0000\",gw,{}", line.clock(), line.csv())
        });
        table("_time,host,_raw", &rows)
    }),
    ("splunk json of rows", |lines| {
        let rows = each(lines, |line| {
            format!(
                "[{},\"2024-05-01T{}.123+00:00\"]",
                line.quoted(),
                line.clock()
            )
        });
        let before =
            r#"{"preview":false,"init_offset":0,"messages":[],"fields":["_raw","_time"],"rows":["#;
        Variant::of_blocks("", before, &rows, ",", "]}\n")
    }),
    ("splunk json of results", |lines| {
        let results = each(lines, |line| {
            format!(
                r#"{{"_raw":{},"_time":"2024-05-01T{}.123+00:00"}}"#,
                line.quoted(),
                line.clock()
            )
        });
        let before = r#"{"preview":false,"init_offset":0,"messages":[],"fields":[{"name":"_raw"},{"name":"_time"}],"results":["#;
        Variant::of_blocks("", before, &results, ",", "],\"highlighted\":{}}\n")
    }),
    ("kibana csv", |lines| {
        let rows = each(lines, |line| {
            format!("\"May 1, 2024 @ {}.123\",{}", line.clock(), line.csv())
        });
        table("\"@timestamp\",message", &rows)
    }),
    ("kibana csv of event.original", |lines| {
        let rows = each(lines, |line| {
            format!(
                "\"May 1, 2024 @ {}.123\",\"x{}\",gw,{}",
                line.clock(),
                line.number,
                line.csv()
            )
        });
        table(
            "\"@timestamp\",\"_id\",\"host.name\",\"event.original\"",
            &rows,
        )
    }),
    ("graylog csv", |lines| {
        let rows = each(lines, |line| {
            format!("\"{}\",\"gw\",{}", line.milli(), line.csv())
        });
        table("\"timestamp\",\"source\",\"message\"", &rows)
    }),
    ("grafana csv", |lines| {
        let rows = each(lines, |line| {
            format!(
                "{},\"{{\"\"app\"\":\"\"web\"\"}}\",{},{},1714_{}",
                line.ms(),
                line.csv(),
                line.ns(),
                line.number
            )
        });
        table("Time,labels,Line,tsNs,id", &rows)
    }),
    ("grafana csv, quoted heading", |lines| {
        let rows = each(lines, |line| format!("\"{}\",{}", line.milli(), line.csv()));
        table("\"Time\",\"Line\"", &rows)
    }),
    ("grafana text", |lines| {
        let rows = each(lines, |line| {
            format!("{}\t{}\t{}", line.ms(), line.milli(), line.text)
        });
        Variant::of_lines("", &rows)
    }),
    ("loki api", |lines| {
        let values = each(lines, |line| {
            format!("[\"{}\",{}]", line.ns(), go_quoted(line.text))
        });
        let before = r#"{"status":"success","data":{"resultType":"streams","result":[{"stream":{"app":"web"},"values":["#;
        Variant::of_blocks("", before, &values, ",", "]}],\"stats\":{}}}\n")
    }),
    ("loki push", |lines| {
        let values = each(lines, |line| {
            format!("[\"{}\",{}]", line.ns(), go_quoted(line.text))
        });
        let before = r#"{"streams":[{"stream":{"app":"web"},"values":["#;
        Variant::of_blocks("", before, &values, ",", "]}]}\n")
    }),
    ("cloudwatch get-log-events", |lines| {
        let events = each(lines, |line| {
            format!(
                "        {{\n            \"timestamp\": {},\n            \"message\": {},\n            \"ingestionTime\": {}\n        }}",
                line.ms(),
                ascii_quoted(line.text),
                line.ms()
            )
        });
        let before = "{\n    \"events\": [\n";
        let after = "\n    ],\n    \"nextForwardToken\": \"f/37\",\n    \"nextBackwardToken\": \"b/37\"\n}\n";
        Variant::of_blocks("", before, &events, ",\n", after)
    }),
    ("cloudwatch filter-log-events", |lines| {
        let events = each(lines, |line| {
            format!(
                r#"{{"logStreamName":"app","timestamp":{},"message":{},"ingestionTime":{},"eventId":"37"}}"#,
                line.ms(),
                line.quoted(),
                line.ms()
            )
        });
        Variant::of_blocks(
            "",
            "{\"events\":[",
            &events,
            ",",
            "],\"searchedLogStreams\":[]}\n",
        )
    }),
    ("cloudwatch subscription", |lines| {
        let events = each(lines, log_event);
        Variant::of_blocks("", SUBSCRIPTION, &events, ",", "]}\n")
    }),
    ("cloudwatch subscription, a line each", |lines| {
        let messages = each(lines, |line| {
            format!("{SUBSCRIPTION}{}]}}", log_event(line))
        });
        Variant::of_lines("", &messages)
    }),
    ("cloudwatch subscription by firehose", |lines| {
        let messages = each(lines, |line| {
            format!("{SUBSCRIPTION}{}]}}", log_event(line))
        });
        Variant::of_blocks("", "", &messages, "", "")
    }),
    ("cloudwatch insights csv", |lines| {
        let rows = each(lines, |line| {
            format!("2024-05-01 {}.123,{}", line.clock(), line.csv())
        });
        table("@timestamp,@message", &rows)
    }),
    ("cloudwatch insights csv with stream", |lines| {
        let rows = each(lines, |line| {
            format!("{},2024-05-01 {}.123,app,1:/app", line.csv(), line.clock())
        });
        table("@message,@timestamp,@logStream,@log", &rows)
    }),
    ("cloudwatch console csv", |lines| {
        let rows = each(lines, |line| format!("{},{}", line.ms(), line.csv()));
        table("timestamp,message", &rows)
    }),
    ("cloudwatch query results", |lines| {
        let rows = each(lines, |line| {
            format!(
                r#"[{{"field":"@timestamp","value":"2024-05-01 {}.123"}},{{"field":"@message","value":{}}},{{"field":"@ptr","value":"Cm"}}]"#,
                line.clock(),
                line.quoted()
            )
        });
        Variant::of_blocks(
            "",
            "{\"results\":[",
            &rows,
            ",",
            "],\"status\":\"Complete\"}\n",
        )
    }),
    ("gcp csv", |lines| {
        let rows = each(lines, |line| {
            format!(
                "1kx{},projects/p/logs/app,gce_instance,{},{}",
                line.number,
                line.csv(),
                line.nano()
            )
        });
        table(
            "insertId,logName,resource.type,textPayload,timestamp",
            &rows,
        )
    }),
    ("sentinel csv", |lines| {
        let rows = each(lines, |line| {
            format!(
                "\"5/1/2024, {}.123 PM\",gw,daemon,app,{}",
                line.clock(),
                line.csv()
            )
        });
        table(
            "\"TimeGenerated [UTC]\",Computer,Facility,ProcessName,SyslogMessage",
            &rows,
        )
    }),
    ("sentinel csv in ISO times", |lines| {
        let rows = each(lines, |line| {
            format!("{},\"{}\",Syslog", line.csv(), line.milli())
        });
        table("SyslogMessage,TimeGenerated,Type", &rows)
    }),
    ("azure query", |lines| {
        let rows = each(lines, |line| {
            format!("[\"{}\",{}]", line.milli(), line.quoted())
        });
        let before = r#"{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated","type":"datetime"},{"name":"SyslogMessage","type":"string"}],"rows":["#;
        Variant::of_blocks("", before, &rows, ",", "]}]}\n")
    }),
    ("elastic search", |lines| {
        let hits = each(lines, |line| {
            format!(
                r#"{{"_index":"logs-1","_id":"x{}","_score":1.0,"_source":{{"@timestamp":"{}","message":{}}}}}"#,
                line.number,
                line.milli(),
                line.quoted()
            )
        });
        let before = r#"{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1},"hits":{"total":{"value":1,"relation":"eq"},"max_score":1.0,"hits":["#;
        Variant::of_blocks("", before, &hits, ",", "]}}\n")
    }),
    ("opentelemetry document", |lines| {
        let records = each(lines, |line| {
            format!(
                r#"{{"timeUnixNano":"{}","body":{{"stringValue":{}}}}}"#,
                line.ns(),
                line.quoted()
            )
        });
        let before = r#"{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":["#;
        Variant::of_blocks("", before, &records, ",", "]}]}]}\n")
    }),
];

const SUBSCRIPTION: &str = r#"{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/app","logStream":"web","subscriptionFilters":["f"],"logEvents":["#;

fn log_event(line: Line<'_>) -> String {
    format!(
        r#"{{"id":"37{}","timestamp":{},"message":{}}}"#,
        line.number,
        line.ms(),
        line.quoted()
    )
}

fn each(lines: &[Line<'_>], wrap: fn(Line<'_>) -> String) -> Vec<String> {
    lines.iter().map(|line| wrap(*line)).collect()
}

fn table(heading: &str, rows: &[String]) -> Variant {
    Variant::of_blocks("", &format!("{heading}\n"), rows, "\n", "\n")
}

fn lines_of<'a>(texts: &'a [&'a str]) -> Vec<Line<'a>> {
    let numbered = texts.iter().enumerate();
    numbered
        .map(|(number, text)| Line { text, number })
        .collect()
}

/// A sample in each envelope, once.
pub(super) fn wrapped(texts: &[&str]) -> Vec<Variant> {
    let lines = lines_of(texts);
    let by_line = OBJECTS.iter().chain(PREFIXES);
    let by_line = by_line.map(|(name, wrap)| Variant::of_lines(name, &each(&lines, *wrap)));
    let documents = DOCUMENTS.iter().map(|(name, wrap)| Variant {
        name: (*name).to_owned(),
        ..wrap(&lines)
    });
    let variants = by_line.chain(documents);
    variants.map(with_time).collect()
}

fn with_time(variant: Variant) -> Variant {
    Variant {
        gives_time: true,
        ..variant
    }
}

/// A sample in an array or pretty-printed objects of each envelope: one of four forms in turn.
pub(super) fn in_documents(texts: &[&str], turn: usize) -> Vec<Variant> {
    let lines = lines_of(texts);
    let numbered = OBJECTS.iter().enumerate();
    let variants = numbered.map(|(number, (name, wrap))| {
        let compact = each(&lines, *wrap);
        let (form, pretty, [before, separator, after]) = match (number + turn) % 4 {
            0 => ("array", false, ["[", ",", "]\n"]),
            1 => ("array over lines", false, ["[\n", ",\n", "\n]\n"]),
            2 => ("pretty array", true, ["[\n", ",\n", "\n]\n"]),
            _ => ("pretty objects", true, ["", "\n", "\n"]),
        };
        let blocks = match pretty {
            true => compact
                .iter()
                .map(|object| pretty_printed(object))
                .collect(),
            false => compact,
        };
        let name = format!("{form} of {name}");
        Variant::of_blocks(&name, before, &blocks, separator, after)
    });
    variants.map(with_time).collect()
}

fn pretty_printed(object: &str) -> String {
    let object: Value = serde_json::from_str(object).unwrap();
    serde_json::to_string_pretty(&object).unwrap()
}

/// A sample in two envelopes, one in the other: of five outer ones each inner is in one, in
/// turn.
pub(super) fn nested(texts: &[&str], turn: usize) -> Vec<Variant> {
    const OUTER: [&str; 5] = [
        "docker json",
        "cri",
        "journald json",
        "kcat",
        "aws logs event",
    ];
    let all = || OBJECTS.iter().chain(PREFIXES);
    let mut variants = Vec::new();
    for (number, (inner_name, inner)) in all().enumerate() {
        let inner: Vec<String> = each(&lines_of(texts), *inner);
        if inner.iter().any(|line| line.contains('\n')) {
            continue;
        }
        let inner: Vec<&str> = inner.iter().map(String::as_str).collect();
        let wanted = OUTER[(number + turn) % OUTER.len()];
        let mut outer = all().filter(|(name, _)| *name == wanted);
        variants.extend(outer.next().map(|(name, outer)| {
            let lines = each(&lines_of(&inner), *outer);
            with_time(Variant::of_lines(
                &format!("{inner_name} in {name}"),
                &lines,
            ))
        }));
    }
    variants
}
