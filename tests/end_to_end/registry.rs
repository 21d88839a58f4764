//! Pulling and pushing plugins, with Debian's `docker-registry`. If it is missing, the
//! tests are skipped with a note; in continuous integration (`CI` is set) they fail.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::support::Home;

/// A registry on a free port. Dropping it ends the process.
pub(crate) struct Registry {
    child: Child,
    pub(crate) address: String,
    _home: Home,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The users that may access the registry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Users {
    Everybody,
    /// `me`, with the password `word`.
    Me,
}

impl Registry {
    pub(crate) fn start(users: Users) -> Option<Self> {
        let home = Home::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        // `word`, as htpasswd writes it.
        let me = "me:$2y$05$abcdefghijklmnopqrstuuQDoL5Sa/TtfS/XN4AY/jgq.HBbO1BTu\n";
        let auth = match users {
            Users::Everybody => String::new(),
            Users::Me => format!(
                "auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
                home.write("htpasswd", me)
            ),
        };
        let config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\n\
             http:\n  addr: {address}\n{auth}",
            home.path("storage").display()
        );
        let config = home.write("config.yml", config);
        let child = Command::new("docker-registry")
            .args(["serve", &config])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = match child {
            Ok(child) => child,
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "docker-registry: {error}");
                eprintln!("skipped, docker-registry is missing: {error}");
                return None;
            }
        };
        let mut registry = Self {
            child,
            address,
            _home: home,
        };
        while TcpStream::connect(&registry.address).is_err() {
            assert_eq!(registry.child.try_wait().unwrap(), None, "it ended");
            std::thread::yield_now();
        }
        Some(registry)
    }

    /// A reference to a plugin in it.
    fn place(&self, path: &str) -> String {
        format!("{}/{path}", self.address)
    }

    /// The HTTP response with a manifest.
    fn manifest(&self, path: &str, tag: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET /v2/{path}/manifests/{tag} HTTP/1.0\r\nHost: {}\r\nAccept: application/vnd.oci.image.manifest.v1+json\r\n\r\n",
            self.address
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    }
}

/// A home with the built-in plugins as files.
fn with_plugins() -> Home {
    let home = Home::new();
    assert_eq!(home.run(&["plugin", "export", "."]).status, Some(0));
    home
}

/// The digest in a line like `policy our-policy.wasm: sha256:…`.
fn digest_in(text: &str) -> String {
    let start = text.find("sha256:").unwrap();
    text[start..].split_whitespace().next().unwrap().to_owned()
}

#[test]
fn pushed_plugin_is_pulled_and_pinned() {
    let Some(registry) = Registry::start(Users::Everybody) else {
        return;
    };
    let author = with_plugins();
    let place = registry.place("team/our-policy:1.0.0");
    let pushed = author.run(&["plugin", "push", "strict.wasm", &place]);
    assert_eq!(pushed.status, Some(0), "{}", pushed.stderr);
    let digest = digest_in(&pushed.stderr);
    let manifest = registry.manifest("team/our-policy", "1.0.0");
    for part in [
        "application/vnd.wasm.config.v0+json",
        "application/wasm",
        &digest,
    ] {
        assert!(manifest.contains(part), "{part}: {manifest}");
    }

    let colleague = Home::new();
    let pulled = colleague.run(&["plugin", "pull", &place]);
    assert_eq!(pulled.status, Some(0), "{}", pulled.stderr);
    let (sent, came) = (
        author.path("strict.wasm"),
        colleague.path("our-policy.wasm"),
    );
    assert_eq!(std::fs::read(sent).unwrap(), std::fs::read(came).unwrap());
    let pins = format!("[plugins]\n\"our-policy.wasm\" = \"{digest}\"\n");
    assert_eq!(colleague.read("vthost.toml"), pins);
    let again = colleague.run(&["plugin", "pull", &place, "--digest", &digest]);
    assert_eq!(again.status, Some(0), "{}", again.stderr);
    assert_eq!(colleague.read("vthost.toml"), pins);

    // Another plugin replaces it in the registry.
    let pushed = author.run(&["plugin", "push", "threshold.wasm", &place]);
    assert_eq!(pushed.status, Some(0), "{}", pushed.stderr);
    let before = std::fs::read(colleague.path("our-policy.wasm")).unwrap();
    let refused = colleague.run(&["plugin", "pull", &place]);
    assert_eq!(refused.status, Some(3));
    let words = format!(
        " is {}, not {digest}; nothing was written",
        digest_in(&pushed.stderr)
    );
    assert!(refused.stderr.contains(&words), "{}", refused.stderr);
    let after = std::fs::read(colleague.path("our-policy.wasm")).unwrap();
    assert_eq!(before, after);
}

#[test]
fn failed_requests_are_reported() {
    let Some(registry) = Registry::start(Users::Everybody) else {
        return;
    };
    let home = with_plugins();
    let place = registry.place("team/ours:1");
    let nothing = home.run(&["plugin", "pull", &place]);
    assert_eq!(nothing.status, Some(3));
    assert!(nothing.stderr.contains(&place), "{}", nothing.stderr);
    home.write("text.wasm", "no component");
    let refused = home.run(&["plugin", "push", "text.wasm", &place]);
    assert_eq!(refused.status, Some(3));
    let words = "`text.wasm` is not WebAssembly";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    let pushed = home.run(&["plugin", "push", "squid.wasm", &place]);
    assert_eq!(pushed.status, Some(0), "{}", pushed.stderr);
    let zeros = format!("sha256:{}", "0".repeat(64));
    let other = home.run(&["plugin", "pull", &place, "--digest", &zeros]);
    assert_eq!(other.status, Some(3));
    assert!(!home.path("ours.wasm").exists() && !home.path("vthost.toml").exists());
}

#[test]
fn docker_login_is_used_and_not_printed() {
    let Some(registry) = Registry::start(Users::Me) else {
        return;
    };
    let home = with_plugins();
    let place = registry.place("team/ours:1");
    let stranger = home.run(&["plugin", "push", "strict.wasm", &place]);
    assert_eq!(stranger.status, Some(3));
    // `printf 'me:word' | base64`.
    let login = format!(
        r#"{{"auths": {{"{}": {{"auth": "bWU6d29yZA=="}}}}}}"#,
        registry.address
    );
    home.write(".docker/config.json", login);
    let pushed = home.run(&["plugin", "push", "strict.wasm", &place]);
    assert_eq!(pushed.status, Some(0), "{}", pushed.stderr);
    let pulled = home.run(&["plugin", "pull", &place]);
    assert_eq!(pulled.status, Some(0), "{}", pulled.stderr);
    for ran in [stranger, pushed, pulled] {
        assert!(!ran.stderr.contains("bWU6"), "{}", ran.stderr);
    }
}
