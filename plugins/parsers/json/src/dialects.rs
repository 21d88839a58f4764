//! The table of products: which field means what. Sources: the vendors' log
//! references, by the title of each entry.

use vthost_plugin::dialect::{Dialect, Roles, push_with_address};

use super::special;

/// What most entries share.
const JSON: Dialect = Dialect {
    certainty: 85,
    ..Dialect::DEFAULT
};

/// The formats. The first of those that fit equally well is taken.
pub(crate) const DIALECTS: &[Dialect] = &[
    Dialect {
        name: "aws-network-firewall",
        title: "AWS Network Firewall (JSON)",
        example: r#"{"firewall_name":"fw-1","event_timestamp":"1714564800","event":{"timestamp":"2024-05-01T12:00:00.000000+0000","event_type":"alert","src_ip":"10.0.0.5","dest_ip":"192.0.2.10","alert":{"action":"blocked"},"http":{"hostname":"www.example.com","url":"/a"}}}"#,
        marks: &["firewall_name", "event/event_type"],
        roles: Roles {
            host: &[
                "event/http/hostname",
                "event/tls/sni",
                "event/dns/rrname",
                "event/dns/query/rrname",
            ],
            path: &["event/http/url"],
            address: &["event/dest_ip"],
            client: &["event/src_ip"],
            stamp: &["event/timestamp", "event_timestamp"],
            action: &["event/alert/action"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "route53-resolver",
        title: "Amazon Route 53 Resolver query logs (JSON)",
        example: r#"{"version":"1.1","query_timestamp":"2024-05-01T12:00:00Z","query_name":"www.example.com.","query_type":"A","rcode":"NOERROR","srcaddr":"10.0.0.5","srcport":"51000","transport":"UDP"}"#,
        marks: &["query_name", "query_timestamp"],
        roles: Roles {
            name: &["query_name"],
            client: &["srcaddr"],
            stamp: &["query_timestamp"],
            action: &["firewall_rule_action"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "aws-vpcflow-json",
        title: "AWS VPC flow logs (JSON)",
        example: r#"{"version":2,"interface_id":"eni-0","srcaddr":"10.0.0.5","dstaddr":"192.0.2.10","srcport":51000,"dstport":443,"start":1714564800,"end":1714564860,"action":"ACCEPT"}"#,
        marks: &["interface_id", "dstaddr"],
        roles: Roles {
            address: &["dstaddr"],
            client: &["srcaddr"],
            stamp: &["start"],
            action: &["action"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "aws-waf",
        title: "AWS WAF (JSON): the client is the remote side",
        example: r#"{"timestamp":1714564800000,"webaclId":"arn:aws:wafv2:acl","action":"BLOCK","httpRequest":{"clientIp":"192.0.2.10","uri":"/a"}}"#,
        marks: &["webaclId", "httpRequest/clientIp"],
        roles: Roles {
            address: &["httpRequest/clientIp"],
            stamp: &["timestamp"],
            action: &["action"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "azure-flow",
        title: "Azure network security group and virtual network flow logs (JSON)",
        example: r#"{"time":"2024-05-01T12:00:00Z","category":"NetworkSecurityGroupFlowEvent","operationName":"NetworkSecurityGroupFlowEvents","properties":{"Version":2,"flows":[{"rule":"r","flows":[{"mac":"000000000001","flowTuples":["1714564800,10.0.0.5,192.0.2.10,51000,443,T,O,D,B,,,,"]}]}]}}"#,
        marks: &[
            "properties/flows/flows/flowTuples|flowRecords/flows/flowGroups/flowTuples|flow.0",
        ],
        roles: Roles {
            stamp: &["time"],
            ..Roles::NONE
        },
        push: special::azure_flow,
        ..JSON
    },
    Dialect {
        name: "azure-firewall-structured",
        title: "Azure Firewall, structured logs (JSON)",
        example: r#"{"category":"AZFWApplicationRule","time":"2024-05-01T12:00:00Z","resourceId":"r","properties":{"Action":"Allow","SourceIp":"10.0.0.5","DestinationIp":"192.0.2.10","Fqdn":"www.example.com","TargetUrl":"https://www.example.com/a"}}"#,
        marks: &["category", "properties/SourceIp"],
        roles: Roles {
            url: &["properties/TargetUrl"],
            host: &["properties/Fqdn"],
            name: &["properties/QueryName"],
            address: &["properties/DestinationIp"],
            client: &["properties/SourceIp"],
            stamp: &["time"],
            action: &["properties/Action"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "azure-firewall",
        title: "Azure Firewall (JSON)",
        example: r#"{"category":"AzureFirewallNetworkRule","time":"2024-05-01T12:00:00Z","operationName":"AzureFirewallNetworkRuleLog","properties":{"msg":"TCP request from 10.0.0.5:51000 to 192.0.2.10:443. Action: Deny. "}}"#,
        marks: &[
            "category",
            "operationName",
            "properties/msg|properties/SourceIp|properties/SourceIP",
        ],
        roles: Roles {
            url: &["properties/TargetUrl"],
            host: &["properties/Fqdn", "properties/QueryName"],
            path: &["properties/msg"],
            address: &["properties/DestinationIp"],
            client: &["properties/SourceIp", "properties/SourceIP"],
            stamp: &["time"],
            action: &["properties/Action"],
            ..Roles::NONE
        },
        push: special::azure_firewall,
        ..JSON
    },
    Dialect {
        name: "gcp-dns",
        title: "Google Cloud DNS (JSON)",
        example: r#"{"insertId":"a","jsonPayload":{"queryName":"www.example.com.","queryType":"A","responseCode":"NOERROR","sourceIP":"10.0.0.5"},"timestamp":"2024-05-01T12:00:00Z"}"#,
        marks: &["jsonPayload/queryName"],
        roles: Roles {
            name: &["jsonPayload/queryName"],
            client: &["jsonPayload/sourceIP"],
            stamp: &["timestamp"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "gcp-flow",
        title: "Google Cloud VPC flow and firewall logs (JSON)",
        example: r#"{"insertId":"a","jsonPayload":{"connection":{"src_ip":"10.0.0.5","src_port":51000,"dest_ip":"192.0.2.10","dest_port":443,"protocol":6},"disposition":"ALLOWED"},"timestamp":"2024-05-01T12:00:00Z"}"#,
        marks: &["jsonPayload/connection/dest_ip"],
        roles: Roles {
            address: &["jsonPayload/connection/dest_ip"],
            client: &["jsonPayload/connection/src_ip"],
            stamp: &["timestamp", "jsonPayload/start_time"],
            action: &["jsonPayload/disposition"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "gcp-lb",
        title: "Google Cloud load balancer (JSON): the client is the remote side",
        example: r#"{"httpRequest":{"requestMethod":"GET","requestUrl":"http://www.example.org/a","remoteIp":"192.0.2.10:51000","status":200},"timestamp":"2024-05-01T12:00:00Z"}"#,
        marks: &["httpRequest/requestUrl", "httpRequest/remoteIp"],
        roles: Roles {
            address: &["httpRequest/remoteIp"],
            stamp: &["timestamp", "receiveTimestamp"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "cloudflare-dns",
        title: "Cloudflare DNS and Gateway DNS (JSON)",
        example: r#"{"QueryName":"www.example.com","QueryType":1,"SourceIP":"10.0.0.5","Timestamp":"2024-05-01T12:00:00Z"}"#,
        marks: &["QueryName"],
        roles: Roles {
            name: &["QueryName"],
            client: &["SourceIP", "SrcIP"],
            user: &["Email"],
            stamp: &["Timestamp", "Datetime"],
            action: &["ResolverDecision"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "cloudflare-gateway",
        title: "Cloudflare Gateway HTTP and network (JSON)",
        example: r#"{"Action":"allow","Datetime":"2024-05-01T12:00:00Z","DestinationIP":"192.0.2.10","Email":"jane@example.org","HTTPHost":"www.example.com","SourceIP":"10.0.0.5","URL":"https://www.example.com/a"}"#,
        marks: &["DestinationIP|HTTPHost|RayID", "Datetime|CreatedAt"],
        roles: Roles {
            url: &["URL"],
            host: &["HTTPHost", "SNI"],
            address: &["DestinationIP"],
            client: &["SourceIP", "SourceInternalIP"],
            user: &["Email"],
            stamp: &["Datetime"],
            action: &["Action"],
            ..Roles::NONE
        },
        push: special::cloudflare_gateway,
        ..JSON
    },
    Dialect {
        name: "cato",
        title: "Cato Networks events (JSON)",
        example: r#"{"event_time":"2024-05-01T12:00:00Z","action":"Block","account_id":"1","dest_ip":"192.0.2.10","domain_name":"www.example.com","src_ip":"10.0.0.5"}"#,
        marks: &["account_id", "action|event_type"],
        roles: Roles {
            url: &["full_path_url", "url"],
            host: &["domain_name", "dns_query", "tls_sni"],
            address: &["dest_ip"],
            client: &["src_ip"],
            user: &["user_name", "vpn_user_email"],
            stamp: &["event_time", "time", "time_str"],
            action: &["action"],
            ..Roles::NONE
        },
        push: push_with_address,
        ..JSON
    },
    Dialect {
        name: "zscaler",
        title: "Zscaler NSS web, firewall, DNS (JSON)",
        example: r#"{"sourcetype":"zscalernss-web","event":{"datetime":"2024-05-01 12:00:00","action":"Allowed","clientip":"10.0.0.5","serverip":"192.0.2.10","hostname":"www.example.com","url":"www.example.com/a"}}"#,
        marks: &["sourcetype"],
        roles: Roles {
            url: &["event/url", "event/eurl"],
            // In base64.
            path: &["event/b64url"],
            scheme: &["event/proto"],
            host: &[
                "event/hostname",
                "event/host",
                "event/dns_req",
                "event/req",
                "event/ehost",
                "event/cdfqdn",
            ],
            address: &[
                "event/serverip",
                "event/sip",
                "event/cdip",
                "event/sdip",
                "event/srv_dip",
            ],
            client: &[
                "event/clientip",
                "event/ClientIP",
                "event/cip",
                "event/cltip",
                "event/csip",
                "event/clt_sip",
            ],
            user: &["event/login", "event/user"],
            stamp: &["event/datetime", "event/time"],
            action: &["event/action", "event/reqaction"],
            ..Roles::NONE
        },
        push: special::zscaler,
        ..JSON
    },
    Dialect {
        name: "menlo",
        title: "Menlo Security (JSON)",
        example: r#"{"event":{"event_time":"2024-05-01T12:00:00Z","pe_action":"allow","origin_ip":"10.0.0.5","dst":"192.0.2.10","url":"http://www.example.com/a","top_url":"http://www.example.com/","domain":"www.example.com"}}"#,
        marks: &["event/pe_action"],
        roles: Roles {
            url: &["event/url", "event/top_url", "event/dst_url"],
            host: &["event/domain"],
            address: &["event/dst"],
            client: &["event/x-client-ip", "event/origin_ip"],
            user: &["event/userid"],
            stamp: &["event/event_time"],
            action: &["event/pe_action"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "netskope",
        title: "Netskope events (JSON)",
        example: r#"{"_id":"a","timestamp":1714564800,"access_method":"Client","action":"block","dstip":"192.0.2.10","srcip":"10.0.0.5","url":"www.example.com/a","user":"jane@example.org"}"#,
        marks: &["access_method|_id", "timestamp"],
        roles: Roles {
            url: &["url", "page"],
            host: &["domain", "dsthost", "hostname"],
            address: &["dstip", "dst_ip"],
            client: &["srcip", "userip", "src_ip"],
            user: &["user"],
            stamp: &["timestamp"],
            action: &["action"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "olfeo-saas",
        title: "Olfeo SaaS (JSON)",
        example: r#"{"client_id":"1","category_id":"2","action":"allow","domain":"www.example.com","src_ip":"10.0.0.5","url":"","timestamp":"2024-05-01T12:00:00Z"}"#,
        marks: &["category_id", "domain"],
        roles: Roles {
            url: &["url"],
            host: &["domain"],
            address: &["dst_ip", "dest_ip"],
            client: &["src_ip", "source_ip"],
            user: &["user_name", "display_name"],
            stamp: &["timestamp", "date", "time", "datetime", "created_at"],
            action: &["action"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "sentinelone",
        title: "SentinelOne Deep Visibility (JSON)",
        example: r#"{"event.category":"dns","event.time":1714564800000,"event.dns.request":"www.example.com","src.ip.address":"10.0.0.5","endpoint.name":"PC-5"}"#,
        marks: &["event.category"],
        roles: Roles {
            url: &["url.address"],
            host: &["event.url.host"],
            name: &["event.dns.request"],
            address: &["dst.ip.address"],
            client: &["src.ip.address", "endpoint.name"],
            user: &["src.process.user"],
            stamp: &["event.time", "timestamp"],
            action: &["event.network.connectionStatus"],
            ..Roles::NONE
        },
        push: special::sentinelone,
        ..JSON
    },
    Dialect {
        name: "jamf",
        title: "Jamf network traffic stream (JSON)",
        example: r#"{"event":{"metadata":{"vendor":"Jamf"},"timestamp":"2024-05-01T12:00:00Z","device":{"deviceId":"1"},"user":{"email":"jane@example.org"},"hostName":"www.example.com","source":{"ip":"10.0.0.5"}}}"#,
        marks: &["event/metadata/vendor", "event/timestamp"],
        roles: Roles {
            url: &["event/url"],
            host: &[
                "event/hostName",
                "event/dns/query",
                "event/query/name",
                "event/dns/question/name",
                "event/network/domain",
                "event/host",
                "event/dnsQuery",
                "event/destination/domain",
                "event/destination/hostName",
            ],
            address: &["event/destination/ip"],
            client: &[
                "event/source/ip",
                "event/device/ip",
                "event/device/userDeviceName",
                "event/device/deviceId",
            ],
            user: &["event/user/email"],
            stamp: &["event/timestamp"],
            action: &["event/action", "event/blocked"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "untangle",
        title: "Arista NG Firewall (Untangle) events (JSON)",
        example: r#"{"class":"class com.untangle.app.http.HttpRequestEvent","timeStamp":"2024-05-01 12:00:00.0","host":"www.example.com","requestUri":"/a","sessionEvent":{"CClientAddr":"10.0.0.5","SServerAddr":"192.0.2.10"}}"#,
        marks: &["class", "timeStamp"],
        roles: Roles {
            host: &["host", "domain"],
            path: &["requestUri"],
            address: &["SServerAddr", "sessionEvent/SServerAddr", "ipDestination"],
            client: &[
                "CClientAddr",
                "sessionEvent/CClientAddr",
                "localAddr",
                "ipSource",
            ],
            user: &["username", "sessionEvent/username"],
            stamp: &["timeStamp"],
            action: &["blocked"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "traefik",
        title: "Traefik access log (JSON): the client is the remote side",
        example: r#"{"ClientHost":"192.0.2.10","RequestHost":"www.example.org","RequestPath":"/a","RouterName":"r","StartUTC":"2024-05-01T12:00:00Z"}"#,
        marks: &["ClientHost", "StartUTC|DownstreamStatus"],
        roles: Roles {
            address: &["ClientHost"],
            stamp: &["StartUTC", "time"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "f5-json",
        title: "F5 BIG-IP AFM (JSON)",
        example: r#"{"acl_policy_name":"/Common/p","action":"Reject","bigip_mgmt_ip":"10.0.0.1","date_time":"May 01 2024 12:00:00","source_ip":"10.0.0.5","dest_ip":"192.0.2.10"}"#,
        marks: &["bigip_mgmt_ip", "dest_ip"],
        roles: Roles {
            address: &["dest_ip"],
            client: &["source_ip"],
            stamp: &["date_time"],
            action: &["action"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "caddy",
        title: "Caddy access log (JSON): the client is the remote side",
        example: r#"{"level":"info","ts":1714564800.000,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.10","remote_port":"51000","method":"GET","host":"www.example.org","uri":"/a"},"status":200}"#,
        marks: &["request/remote_ip", "request/uri", "status"],
        roles: Roles {
            address: &["request/client_ip", "request/remote_ip"],
            stamp: &["ts"],
            ..Roles::NONE
        },
        push: special::caddy,
        ..JSON
    },
    Dialect {
        name: "nginx-json",
        title: "nginx access log by its variables (JSON): the client is the remote side",
        example: r#"{"time":"2024-05-01T12:00:00+00:00","remote_addr":"192.0.2.10","remote_user":"","request":"GET /a HTTP/1.1","status":200,"host":"www.example.org"}"#,
        marks: &["remote_addr", "request|request_uri|uri"],
        roles: Roles {
            request: &["request"],
            client: &["remote_addr"],
            user: &["remote_user"],
            stamp: &[
                "time",
                "time_iso8601",
                "time_local",
                "@timestamp",
                "timestamp",
                "msec",
            ],
            ..Roles::NONE
        },
        push: special::of_server_or_proxy,
        ..JSON
    },
    Dialect {
        name: "har",
        title: "HTTP archive (HAR) of a browser or of mitmproxy, an entry a line",
        example: r#"{"startedDateTime":"2024-05-01T12:00:00.000Z","time":7,"request":{"method":"GET","url":"http://www.example.com/a","headers":[]},"response":{"status":200}}"#,
        marks: &["startedDateTime", "request/url"],
        roles: Roles {
            url: &["request/url"],
            stamp: &["startedDateTime"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "squid-ecs",
        title: "Squid on OPNsense (JSON)",
        example: r#"{"@timestamp":"2024-05-01T12:00:00+0000","ecs":{"version":"1.0.0"},"source":{"ip":"10.0.0.5"},"url":{"original":"http://www.example.com/a"},"user":{"name":"jane"},"labels":{"request_status":"TCP_MISS","hierarchy_status":"HIER_DIRECT"}}"#,
        marks: &["@timestamp", "labels/request_status", "url/original"],
        roles: Roles {
            url: &["url/original"],
            client: &["source/ip"],
            user: &["user/name"],
            stamp: &["@timestamp"],
            action: &["labels/request_status"],
            ..Roles::NONE
        },
        push: special::squid,
        ..JSON
    },
    Dialect {
        name: "ecs",
        title: "Elastic Common Schema (JSON)",
        example: r#"{"@timestamp":"2024-05-01T12:00:00Z","source":{"ip":"10.0.0.5"},"destination":{"ip":"192.0.2.10","domain":"www.example.com"}}"#,
        marks: &[
            "@timestamp",
            "source/ip|destination/ip|ecs/version|event/kind",
        ],
        roles: Roles {
            url: &["url/full", "url/original"],
            host: &[
                "url/domain",
                "dns/question/name",
                "tls/client/server_name",
                "destination/domain",
            ],
            path: &["url/path"],
            address: &["destination/ip"],
            client: &["source/ip"],
            user: &["user/name", "source/user/name"],
            stamp: &["@timestamp"],
            action: &["event/action", "event/outcome"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "gatewatcher",
        title: "Gatewatcher AionIQ (JSON)",
        example: r#"{"event_type":"malware","timestamp_detected":"2024-05-01T12:00:00Z","uuid":"1","src_ip":"10.0.0.5","dest_ip":"192.0.2.10","host":"gcap","http":{"hostname":"www.example.com","url":"/a"}}"#,
        marks: &["timestamp_detected", "uuid"],
        roles: Roles {
            host: &["http/hostname", "tls/sni", "dns/rrname"],
            path: &["http/url"],
            address: &["dest_ip"],
            client: &["src_ip"],
            stamp: &["timestamp_detected", "timestamp", "@timestamp"],
            action: &["alert/action"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "barracuda-firewall",
        title: "Barracuda CloudGen Firewall (JSON)",
        example: r#"{"version":1,"timestamp":1714564800,"action":"Allow","src_iface":"eth0","src_ip":"10.0.0.5","dst_iface":"eth1","dst_ip":"192.0.2.10","dst_port":443,"fw_rule":"LAN-2-INTERNET"}"#,
        marks: &["src_ip", "fw_rule|threat_severity|app_target"],
        roles: Roles {
            url: &["url"],
            host: &["domain"],
            address: &["dst_ip"],
            client: &["src_ip"],
            user: &["user"],
            stamp: &["timestamp"],
            action: &["action", "operation"],
            ..Roles::NONE
        },
        ..JSON
    },
    Dialect {
        name: "adguard",
        title: "AdGuard Home query log (JSON)",
        example: r#"{"T":"2024-05-01T12:00:00Z","QH":"www.example.com","QT":"A","QC":"IN","CP":"","IP":"10.0.0.5","Result":{}}"#,
        marks: &["QH", "QT"],
        roles: Roles {
            name: &["QH"],
            client: &["IP"],
            stamp: &["T"],
            ..Roles::NONE
        },
        push: special::adguard,
        ..JSON
    },
    Dialect {
        name: "json",
        title: "Any JSON with fields of common names",
        example: r#"{"timestamp":"2024-05-01T12:00:00Z","src_ip":"10.0.0.5","dest_ip":"192.0.2.10","url":"http://www.example.com/a"}"#,
        marks: &[],
        roles: Roles {
            url: &["url", "uri", "URL", "request_url", "http/url"],
            host: &[
                "hostname",
                "domain",
                "http/hostname",
                "tls/sni",
                "dns/rrname",
                "query",
                "host",
            ],
            address: &[
                "dst_ip",
                "dest_ip",
                "destination_ip",
                "dstip",
                "dst",
                "destination/ip",
                "DestinationIP",
            ],
            client: &[
                "src_ip",
                "source_ip",
                "client_ip",
                "srcip",
                "src",
                "source/ip",
                "clientip",
                "SourceIP",
            ],
            user: &["user", "username"],
            stamp: &[
                "timestamp",
                "@timestamp",
                "time",
                "ts",
                "date",
                "datetime",
                "timestamp_detected",
            ],
            action: &["action", "operation", "verdict"],
            ..Roles::NONE
        },
        certainty: 30,
        ..JSON
    },
];
