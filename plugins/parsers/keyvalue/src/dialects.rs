//! The table of products: which field means what. Sources: the vendors' log
//! references, by the title of each entry.

use vthost_plugin::dialect::{Dialect, Roles, push_with_address};

use super::special;

/// The formats. The first of those that fit equally well is taken.
pub(crate) const DIALECTS: &[Dialect] = &[
    Dialect {
        name: "sophos-xg",
        title: "Sophos XG Firewall (key=value)",
        example: r#"<30>device="SFW" date=2024-05-01 time=12:00:00 timezone="UTC" log_type="Content Filtering" log_component="HTTP" log_subtype="Allowed" src_ip=10.0.0.5 dst_ip=192.0.2.10 url="http://www.example.com/a""#,
        marks: &["log_type", "log_component"],
        roles: Roles {
            url: &["url"],
            host: &["domain", "sni", "source"],
            address: &["dst_ip", "destinationip", "localip", "remoteinterfaceip"],
            client: &["src_ip", "sourceip", "localinterfaceip"],
            user: &["user_name", "user"],
            stamp: &["timestamp"],
            date: &["date"],
            clock: &["time"],
            zone: &["timezone"],
            action: &["log_subtype", "status"],
            ..Roles::NONE
        },
        push: push_with_address,
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "sophos-utm",
        title: "Sophos UTM (key=value)",
        example: r#"2024:05:01-12:00:00 utm httpproxy[1]: id="0001" severity="info" sys="SecureWeb" sub="http" name="http access" action="pass" method="GET" srcip="10.0.0.5" dstip="192.0.2.10" user="jane" url="http://www.example.com/a""#,
        marks: &["sys", "sub"],
        roles: Roles {
            url: &["url"],
            host: &["dstname"],
            address: &["dstip"],
            client: &["srcip"],
            user: &["user"],
            action: &["action"],
            ..Roles::NONE
        },
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "sonicwall",
        title: "SonicWall (key=value)",
        example: r#"<134>  id=firewall sn=000000000001 time="2024-05-01 12:00:00 UTC" fw=192.0.2.1 pri=6 c=1024 m=97 src=10.0.0.5:51000:X0 dst=192.0.2.10:80:X1 dstname=www.example.com arg=/a"#,
        marks: &["sn", "fw", "m"],
        roles: Roles {
            scheme: &["proto"],
            host: &["dstname", "dname"],
            path: &["arg"],
            address: &["dst"],
            client: &["src"],
            user: &["usr"],
            stamp: &["time"],
            action: &["fw_action"],
            ..Roles::NONE
        },
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "stormshield",
        title: "Stormshield Network Security (key=value)",
        example: r#"id=firewall time="2024-05-01 12:00:00" fw="sns-1" tz=+0000 startime="2024-05-01 12:00:00" pri=5 src=10.0.0.5 dst=192.0.2.10 dstname="www.example.com" action=pass logtype="connection""#,
        marks: &["fw", "tz", "startime"],
        roles: Roles {
            host: &["dstname", "sslhost", "domain"],
            path: &["arg"],
            address: &["origdst", "dst"],
            client: &["src"],
            user: &["user"],
            stamp: &["startime", "time"],
            zone: &["tz"],
            action: &["action"],
            ..Roles::NONE
        },
        push: push_with_address,
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "trafficserver-welf",
        title: "Apache Traffic Server, welf format (key=value)",
        example: r#"id=firewall time="2024-05-01 12:00:00" fw=proxy1 pri=6 proto=http duration=0.015 sent=1201 rcvd=183 src=10.0.0.5 dst=192.0.2.10 dstname=www.example.com user=jane op=GET arg="a" result=200 ref="-" agent="curl/8.0" cache=TCP_MISS"#,
        marks: &["fw", "op", "cache"],
        roles: Roles {
            scheme: &["proto"],
            host: &["dstname"],
            path: &["arg"],
            address: &["dst"],
            client: &["src"],
            user: &["user"],
            stamp: &["time"],
            action: &["cache"],
            ..Roles::NONE
        },
        push: special::welf,
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "skyhigh",
        title: "Skyhigh (McAfee) Web Gateway (key=value)",
        example: r#"date="2024-05-01T12:00:00.000Z" hostname="mwg" source_ip=10.0.0.5 destination_ip=192.0.2.10 destination_host="www.example.com" http_status_code=200 http_request_first_line="GET http://www.example.com/a HTTP/1.1""#,
        marks: &["source_ip", "http_status_code"],
        roles: Roles {
            url: &["url", "uri"],
            request: &["http_request_first_line"],
            scheme: &["uri_scheme"],
            host: &["destination_host", "requested_host"],
            path: &["requested_path"],
            address: &["destination_ip"],
            client: &["client_ip", "source_ip"],
            user: &["username"],
            stamp: &["date", "request_timestamp_epoch"],
            action: &["action", "result", "block_reason"],
            ..Roles::NONE
        },
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "skyhigh-mwg",
        title: "Skyhigh (McAfee) Web Gateway, mwg layout (key=value)",
        example: r#"<30>May  1 12:00:00 mwg: status="200/0" srcip="10.0.0.5" user="jane" dhost="www.example.com" urlp="80" proto="HTTP" mtd="GET" urlc="News" mt="text/html" url="http://www.example.com/a""#,
        marks: &["status", "srcip", "mtd"],
        roles: Roles {
            url: &["url"],
            host: &["dhost"],
            address: &["dstip"],
            client: &["srcip"],
            user: &["user"],
            stamp: &["datetime", "time_stamp"],
            ..Roles::NONE
        },
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "proxysg-kv",
        title: "Blue Coat ProxySG (key=value)",
        example: r#"<134>2024-05-01T12:00:00Z proxy bluecoat[0]: date=2024-05-01 time=12:00:00 c-ip=10.0.0.5 cs-host=www.example.com cs-method=GET cs-uri-scheme=http cs-uri-path=/a s-action=TCP_MISS sc-filter-result=OBSERVED"#,
        marks: &["c-ip", "cs-host"],
        roles: Roles {
            scheme: &["cs-uri-scheme"],
            host: &["cs-host"],
            port: &["cs-uri-port"],
            path: &["cs-uri-path"],
            query: &["cs-uri-query"],
            address: &["r-ip", "s-ip"],
            client: &["c-ip"],
            user: &["cs-username", "cs-user"],
            date: &["date"],
            clock: &["time"],
            action: &["sc-filter-result", "s-action"],
            ..Roles::NONE
        },
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "forcepoint-kv",
        title: "Forcepoint (Websense) web (key=value)",
        example: r#"<134>May  1 12:00:00 proxy vendor=Websense product=Security product_version=8.5 action=permitted src_host=10.0.0.5 src_port=51000 dst_host=www.example.com dst_ip=192.0.2.10 dst_port=80 http_method=GET url=http://www.example.com/a"#,
        marks: &["src_host", "dst_host", "product_version"],
        roles: Roles {
            url: &["url"],
            host: &["dst_host"],
            address: &["dst_ip"],
            client: &["src_ip", "src_host"],
            user: &["user"],
            action: &["action"],
            ..Roles::NONE
        },
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "sophos-swa",
        title: "Sophos Web Appliance (key=value)",
        example: r#"<134>May  1 12:00:00 proxy h=10.0.0.5 u="jane" s=200 t=1714564800 act=1 meth=GET req="GET http://www.example.com/a HTTP/1.1" dom="www.example.com""#,
        marks: &["h", "t", "meth"],
        roles: Roles {
            request: &["req"],
            host: &["dom"],
            client: &["h"],
            user: &["u"],
            stamp: &["t"],
            ..Roles::NONE
        },
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "juniper-srx",
        title: "Juniper SRX structured logs",
        example: r#"<14>1 2024-05-01T12:00:00.000Z srx RT_FLOW - RT_FLOW_SESSION_CREATE [junos@2636.1.1.1.2.1 source-address="10.0.0.5" source-port="51000" destination-address="192.0.2.10" destination-port="443" username="jane"]"#,
        marks: &["source-address", "destination-address"],
        roles: Roles {
            url: &["url"],
            host: &["http-host", "sni"],
            path: &["obj"],
            address: &["destination-address"],
            client: &["source-address"],
            user: &["username"],
            action: &["action"],
            ..Roles::NONE
        },
        push: special::juniper,
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "iptables",
        title: "iptables, nftables, ufw (kernel log)",
        example: r#"May  1 12:00:00 gw kernel: [UFW BLOCK] IN=eth0 OUT= MAC=00 SRC=10.0.0.5 DST=192.0.2.10 LEN=52 TTL=115 PROTO=TCP SPT=51000 DPT=445"#,
        marks: &["SRC", "DST", "PROTO"],
        roles: Roles {
            address: &["DST"],
            client: &["SRC"],
            ..Roles::NONE
        },
        push: special::iptables,
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "clavister",
        title: "Clavister NetWall (key=value)",
        example: r#"<134>1 2024-05-01T12:00:00Z fw - - - - id=600001 event=conn_open action=open rule=allow connsrcip=10.0.0.5 connsrcport=51000 conndestip=192.0.2.10 conndestport=443"#,
        marks: &["id", "event"],
        roles: Roles {
            url: &["url"],
            address: &["conndestip", "destip", "remote_ip"],
            client: &["connsrcip", "srcip", "local_ip"],
            action: &["action"],
            ..Roles::NONE
        },
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "meraki",
        title: "Cisco Meraki MX (flows, URLs, events)",
        example: r#"<134>1 1714564800.000000000 MX84 flows allow src=10.0.0.5 dst=192.0.2.10 mac=00:00:5E:00:53:01 protocol=tcp sport=51000 dport=443"#,
        marks: &["src", "dst", "mac|signature"],
        roles: Roles {
            url: &["url"],
            address: &["translated_dst_ip", "dst"],
            client: &["src"],
            user: &["username"],
            action: &["action", "decision"],
            ..Roles::NONE
        },
        push: special::meraki,
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "meraki-ip-flow",
        title: "Cisco Meraki MX (ip_flow_start, ip_flow_end)",
        example: r#"<134>1 1714564800.000000000 MX84 ip_flow_start src=10.0.0.5 dst=192.0.2.10 protocol=tcp sport=51000 dport=443 translated_src_ip=198.51.100.1 translated_port=51000"#,
        marks: &["src", "dst", "translated_port"],
        roles: Roles {
            // The translated destination is where the flow went.
            address: &["translated_dst_ip", "dst"],
            client: &["src"],
            ..Roles::NONE
        },
        push: special::meraki,
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "zscaler-nss",
        title: "Zscaler NSS web log (key=value between tabs)",
        example: "2024-05-01 12:00:00\treason=Allowed\taction=Allowed\turlcategory=News\tserverip=192.0.2.10\trequestmethod=GET\tClientIP=10.0.0.5\turl=www.example.com/a\tuser=jane",
        marks: &["urlcategory", "requestmethod"],
        roles: Roles {
            url: &["url"],
            scheme: &["protocol", "proto"],
            host: &["hostname", "host"],
            address: &["serverip"],
            client: &["ClientIP", "clientip", "cip"],
            user: &["user", "login"],
            action: &["action"],
            ..Roles::NONE
        },
        push: special::zscaler_nss,
        ..Dialect::DEFAULT
    },
    Dialect {
        name: "keyvalue",
        title: "Any key=value with fields of common names",
        example: r#"<14>1 2024-05-01T12:00:00Z fw - - - - src_ip=10.0.0.5 dst_ip=192.0.2.10 url="http://www.example.com/a" action=deny"#,
        marks: &[],
        roles: Roles {
            url: &["url", "uri"],
            host: &["hostname", "dstname", "domain", "dhost", "query"],
            path: &["arg", "path"],
            address: &["dst", "dstip", "dst_ip", "dest_ip", "daddr"],
            client: &["src", "srcip", "src_ip", "source_ip", "saddr"],
            user: &["user", "username", "usr"],
            stamp: &["time", "timestamp", "date"],
            action: &["action", "act"],
            ..Roles::NONE
        },
        certainty: 25,
        ..Dialect::DEFAULT
    },
];
