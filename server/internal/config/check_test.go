package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const mirror = `version: 0.1
storage: {filesystem: {}, delete: {enabled: true}}
http: {addr: ":5000"}
proxy: {remoteurl: 'https://registry-1.docker.io', username: u, password: p, ttl: 168h}
`

const minimal = `version: 0.1
storage: {filesystem: {rootdirectory: /data}}
http: {addr: ":5000"}
`

func TestAccepted(t *testing.T) {
	files := map[string]string{
		"minimal": minimal,
		"what a deployment renders": `
version: "0.1"
log: {level: warn, formatter: json, fields: {service: registry}, accesslog: {disabled: true}}
storage:
  s3:
    bucket: b
    region: eu-central-1
    accesskey: "0123"
    secretkey: 'true'
    regionendpoint: http://minio:9000
    forcepathstyle: true
    chunksize: 10485760
    loglevel: "off"
  delete: {enabled: true}
  redirect: {disable: true}
  cache: {blobdescriptor: inmemory, blobdescriptorsize: 5000}
  tag: {concurrencylimit: 5}
  maintenance:
    readonly: {enabled: false}
    uploadpurging: {enabled: true, age: 168h, interval: 24h, dryrun: false}
auth:
  htpasswd:
    realm: registry
    path: /etc/container-registry/htpasswd
    cache: {ttl: 60s, size: 100}
    limit: {failures: 10, window: 1m}
http:
  addr: 0.0.0.0:5000
  host: https://registry.example.com
  secret: "12345"
  relativeurls: true
  draintimeout: 60s
  headers: {X-Content-Type-Options: [nosniff]}
  debug: {addr: "127.0.0.1:5001", prometheus: {enabled: true, path: /metrics}}
  tls:
    certificate: /tls.pem
    key: /tls.pem
    minimumtls: tls1.2
    ciphersuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]
    clientcas: [/ca.pem]
    clientauth: verify-client-cert-if-given
health:
  storagedriver: {enabled: true, interval: 10s, threshold: 3}
  http: [{uri: "http://x/", statuscode: 200, headers: {Authorization: [secret]}}]
redis: {addrs: ["redis:6379"], maxretries: -1, tls: {rootcas: [/ca.pem]}}
notifications:
  events: {includereferences: true}
  endpoints: [{name: hook, url: "https://x/", timeout: 500ms, threshold: 5, backoff: 1s, ignore: {actions: [pull]}}]
validation: {manifests: {urls: {allow: ["^https://"]}, indexes: {platforms: list, platformlist: [{architecture: amd64, os: linux}]}}}
`,
		"mirror":                   mirror,
		"mirror with another true": strings.Replace(mirror, "delete: {enabled: true}", "delete: {enabled: yes}", 1),
		"cipher suites without HTTP/2, with another true": withHTTP("http2: {disabled: on}, tls: {certificate: c, key: k, ciphersuites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]}"),
		"redis cache":              minimalWith("inmemory: {}, cache: {blobdescriptor: redis}") + "redis: {addrs: ['redis:6379']}\n",
		"sections without content": "version: 0.1\nlog:\nstorage:\n  inmemory:\nhttp: {addr: ':5000'}\n",
		"azure":                    minimalWith("azure: {accountname: a, container: c, rootdirectory: /a..b/.c/, accountkey: k, credentials: {type: shared_key}, max_retries: 3, retry_delay: 100ms}"),
		"gcs":                      minimalWith("gcs: {bucket: b, credentials: {type: service_account, private_key: k}, chunksize: 262144}"),
		"swift":                    minimalWith("swift: {authurl: 'https://x/v3', container: c, username: u, password: p, tempurlmethods: [GET], authversion: 3, useragent: a}"),
		"oss":                      minimalWith("oss: {region: r, bucket: images, accesskeyid: i, accesskeysecret: s, internal: false, useragent: a}"),
		"garbage collection": minimalWith("inmemory: {}, maintenance: {garbagecollection: {schedule: '0 3 * * mon', timezone: Europe/Berlin, deleteuntagged: true, grace: 1h, " +
			"retention: {dryrun: false, alwayskeep: ['v*'], rules: [{repositories: ['team/*'], keepnewest: 5, keepdays: 30, keeptags: [latest]}, {keepdays: 1}]}}}"),
		"proxies":              minimal + "server: {trustedproxies: [10.0.0.1, 10.0.0.0/8, '2001:db8::1', '2001:db8::/32']}\n",
		"a section of our own": minimal + "server: {audit: {folder: /var/log/registry, reads: true}, notifications: [{name: hook, url: 'https://x/?token=t', headers: {Authorization: Bearer x}, actions: [push], repositories: ['team/*']}]}\n",
		"a socket":             strings.Replace(minimal, `addr: ":5000"`, "net: unix, addr: /run/registry.sock", 1),
	}
	for name, content := range files {
		t.Run(name, func(t *testing.T) {
			if _, err := Load(write(t, content)); err != nil {
				t.Error(err)
			}
		})
	}
}

func minimalWith(driver string) string {
	return "version: 0.1\nstorage: {" + driver + "}\nhttp: {addr: ':5000'}\n"
}

func TestRefused(t *testing.T) {
	files := []struct {
		name, content string
		wants         []string
	}{
		{"an audit nowhere", minimal + "server: {audit: {reads: true}}\n", []string{"line 4: server.audit.folder: missing"}},
		{"an audit of a mirror", mirror + "server: {audit: {folder: /a}}\n", []string{"server.audit: not allowed with proxy"}},
		{"endpoints", minimal + "server: {notifications: [{name: A, url: 'https://u:SECRET@x/'}, {name: b, url: 'ftp://x'}, {name: b, url: 'http://x', ca: SECRET, actions: [pull]}]}\n",
			[]string{`server.notifications[0].name: "A": must be of small letters`, "server.notifications[0].url: must be a URL with http:// or https:// and without a user",
				"server.notifications[1].url: must be a URL", `server.notifications[2].name: "b": given twice`, "server.notifications[2].ca: has no certificate in PEM",
				`server.notifications[2].actions[0]: "pull": not allowed; allowed: push, delete`}},
		{"headers that cannot be sent", minimal + "server: {notifications: [{name: a, url: 'https://x/', headers: {Authorization: \"SECRET\\n\", X-Empty: '', Bad Name: SECRET, '': SECRET, host: x, Content-Length: '1', Transfer-Encoding: x}}]}\n",
			[]string{"server.notifications[0].headers.Authorization: must be of ASCII characters in one line, and not empty", "server.notifications[0].headers.X-Empty: must be of ASCII",
				"server.notifications[0].headers.Bad Name: is not the name of a header", "server.notifications[0].headers.: is not the name of a header",
				"server.notifications[0].headers.host: is set by the server itself", "headers.Content-Length: is set by", "headers.Transfer-Encoding: is set by"}},
		{"an endpoint of the engine's", minimal + "notifications: {endpoints: [{name: a, url: 'https://u:SECRET@x/'}]}\n", []string{"notifications.endpoints[0].url: \"…@x/\": must be a URL with http:// or https:// and without a user; a password goes into headers"}},
		{"a bound of a registry", minimal + "server: {mirror: {maxbytes: 1000000}}\n", []string{"server.mirror: not allowed without proxy"}},
		{"a bound of a few bytes", mirror + "server: {mirror: {maxbytes: 20}}\n", []string{`server.mirror.maxbytes: "20": must be a whole number of 1000000 or more`}},
		{"endpoints of a mirror", mirror + "server: {notifications: [{name: a, url: 'http://x'}]}\n", []string{"server.notifications: not allowed with proxy"}},
		{"unknown key", minimal + "htp: {}\n", []string{"line 4: htp: unknown key; did you mean http?"}},
		{"mistyped key", minimalWith("filesystem: {rootdirectroy: /x}"), []string{"line 2: storage.filesystem.rootdirectroy: unknown key; did you mean rootdirectory?"}},
		{"camel case", minimalWith("filesystem: {rootDirectory: /x}"), []string{"storage.filesystem.rootDirectory: unknown key; did you mean rootdirectory?"}},
		{"far off", minimalWith("filesystem: {size: 3}"), []string{"unknown key; allowed: maxthreads, rootdirectory"}},
		{"no keys at all", minimalWith("inmemory: {size: 3}"), []string{"no keys are allowed here"}},
		{"a blank before a folder", minimalWith(`gcs: {bucket: b, rootdirectory: "/ a"}`), []string{`storage.gcs.rootdirectory: "/ a": must be a folder that begins with no blank`}},
		{"a folder above", minimalWith("gcs: {bucket: b, rootdirectory: ../..}"), []string{`storage.gcs.rootdirectory: "../..": must be a folder without "." and ".."`}},
		{"a folder with a dot", minimalWith("oss: {region: r, bucket: images, rootdirectory: a/./b}"), []string{"storage.oss.rootdirectory: \"a/./b\": must be a folder"}},
		{"a folder of two lines", minimalWith(`swift: {authurl: 'https://x/v3', container: c, rootdirectory: "a\nb"}`), []string{"storage.swift.rootdirectory: \"a\\nb\": must be"}},
		{"a long folder", minimalWith("azure: {accountname: a, container: c, credentials: {type: shared_key}, rootdirectory: " + strings.Repeat("é", 129) + "}"), []string{"storage.azure.rootdirectory", "of 256 bytes at most"}},
		{"unknown driver", minimalWith("ceph: {}"), []string{"storage.ceph: unknown key", "storage: none given; exactly one driver"}},
		{"two drivers", minimalWith("inmemory: {}, filesystem: {}"), []string{"storage: inmemory and filesystem given; exactly one driver is needed: azure, filesystem, gcs, inmemory, oss, s3, s3aws, swift"}},
		{"no driver", minimalWith("delete: {enabled: true}"), []string{"storage: none given"}},
		{"storage as a word", "version: 0.1\nstorage: inmemory\nhttp: {addr: ':5000'}\n", []string{"storage: must be a section, not a single value"}},
		{"missing sections", "version: 0.1\n", []string{"storage: missing", "http: missing"}},
		{"version", strings.Replace(minimal, "0.1", "0.2", 1), []string{`line 1: version: "0.2": not allowed; allowed: 0.1`}},
		{"given twice", minimal + "http: {addr: ':1'}\n", []string{"line 4: http: given twice; first on line 3"}},
		{"purging in part", minimalWith("inmemory: {}, maintenance: {uploadpurging: {enabled: true}}"), []string{"uploadpurging.age: missing", "uploadpurging.interval: missing", "uploadpurging.dryrun: missing"}},
		{"purging without pause", minimalWith("inmemory: {}, maintenance: {uploadpurging: {enabled: true, age: 0s, interval: 0s, dryrun: no}}"), []string{`age: "0s": must be more than 0`, `interval: "0s": must be more than 0`}},
		{"readonly as a word", minimalWith("inmemory: {}, maintenance: {readonly: true}"), []string{"storage.maintenance.readonly: must be a section, not a single value"}},
		{"redirect without a word", minimalWith("inmemory: {}, redirect: {}"), []string{"storage.redirect.disable: missing"}},
		{"redirect as text", minimalWith("inmemory: {}, redirect: {disable: 'true'}"), []string{`storage.redirect.disable: "true": must be true or false`}},
		{"negative limit", minimalWith("inmemory: {}, tag: {concurrencylimit: -1}"), []string{`storage.tag.concurrencylimit: "-1": must be a whole number of 0 or more`}},
		{"unknown cache", minimalWith("inmemory: {}, cache: {blobdescriptor: memcached}"), []string{`"memcached": not allowed; allowed: inmemory, redis`}},
		{"redis cache with no address", minimalWith("inmemory: {}, cache: {blobdescriptor: redis}") + "redis: {addrs: []}\n", []string{`storage.cache.blobdescriptor: "redis": needs redis.addrs`}},
		{"redis cache with an empty key", minimalWith("inmemory: {}, cache: {blobdescriptor: redis}") + "redis:\n  addrs:\n", []string{`storage.cache.blobdescriptor: "redis": needs redis.addrs`}},
		{"redis cache without redis", minimalWith("inmemory: {}, cache: {blobdescriptor: redis}"), []string{"needs redis.addrs"}},
		{"few threads", minimalWith("filesystem: {maxthreads: 3}"), []string{`"3": must be a whole number of 25 or more`}},
		{"text that YAML reads as a number", minimalWith("s3: {bucket: 0123, region: r}"), []string{`storage.s3.bucket: "0123": YAML reads this as a number`}},
		{"missing bucket", minimalWith("s3: {region: r}"), []string{"storage.s3.bucket: missing"}},
		{"empty bucket", minimalWith("s3: {region: r, bucket: ''}"), []string{"storage.s3.bucket: \"\": must not be empty"}},
		{"null", minimalWith("s3: {region: r, bucket: }"), []string{"storage.s3.bucket: has no value; it must be text"}},
		{"duration without unit", withHTTP("draintimeout: 60"), []string{`http.draintimeout: "60": must be a duration with a unit`}},
		{"list for text", withHTTP("host: [a]"), []string{"http.host: must be text, not a list"}},
		{"text for list", withHTTP("tls: {certificate: c, key: k, clientcas: ca.pem}"), []string{"http.tls.clientcas: must be a list, not a single value"}},
		{"host without scheme", withHTTP("host: registry.example.com"), []string{`"registry.example.com": is not a URL with scheme and host`}},
		{"old TLS", withHTTP("tls: {certificate: c, key: k, minimumtls: tls1.1}"), []string{`http.tls.minimumtls: "tls1.1": not allowed; allowed: tls1.2, tls1.3`}},
		{"broken cipher suite", withHTTP("tls: {certificate: c, key: k, ciphersuites: [TLS_RSA_WITH_3DES_EDE_CBC_SHA]}"), []string{"http.tls.ciphersuites[0]: \"TLS_RSA_WITH_3DES_EDE_CBC_SHA\": not allowed"}},
		{"cipher suites of TLS 1.3", withHTTP("tls: {certificate: c, key: k, minimumtls: tls1.3, ciphersuites: [TLS_AES_128_GCM_SHA256]}"), []string{"has no effect with http.tls.minimumtls tls1.3"}},
		{"cipher suites without HTTP/2", withHTTP("tls: {certificate: c, key: k, ciphersuites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]}"), []string{"http.tls.ciphersuites: HTTP/2 needs TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256; or set http.http2.disabled"}},
		{"certificate without key", withHTTP("tls: {certificate: c}"), []string{"http.tls.certificate: needs http.tls.key"}},
		{"key without certificate", withHTTP("tls: {key: c}"), []string{"http.tls.key: needs http.tls.certificate"}},
		{"client authentication with a list of none", withHTTP("tls: {certificate: c, key: k, clientauth: require-any-client-cert, clientcas: []}"), []string{"http.tls.clientauth: needs http.tls.clientcas"}},
		{"client authentication without CAs", withHTTP("tls: {certificate: c, key: k, clientauth: require-any-client-cert}"), []string{"http.tls.clientauth: needs http.tls.clientcas"}},
		{"let's encrypt", withHTTP("tls: {letsencrypt: {cachefile: c}}"), []string{"http.tls.letsencrypt: is not part of this server"}},
		{"h2c with TLS, with another true", withHTTP("h2c: {enabled: Yes}, tls: {certificate: c, key: k}"), []string{"http.h2c.enabled: Yes: has no meaning with http.tls"}},
		{"h2c with TLS", withHTTP("h2c: {enabled: true}, tls: {certificate: c, key: k}"), []string{"http.h2c.enabled: true: has no meaning with http.tls"}},
		{"address", strings.Replace(minimal, ":5000", "5000", 1), []string{`http.addr: "5000": is not an address`}},
		{"other authentication", minimal + "auth: {token: {realm: r}}\n", []string{"auth.token: is not part of this server; allowed: htpasswd"}},
		{"htpasswd without file", minimal + "auth: {htpasswd: {realm: r}}\n", []string{"auth.htpasswd.path: missing"}},
		{"middleware", minimal + "middleware: {storage: [{name: cloudfront}]}\n", []string{"middleware: no middleware is part of this server"}},
		{"regular expression", minimal + "validation: {manifests: {urls: {allow: ['(']}}}\n", []string{"validation.manifests.urls.allow[0]: \"(\": is not a regular expression"}},
		{"mirror without upstream", strings.Replace(mirror, "remoteurl: 'https://registry-1.docker.io', ", "", 1), []string{"proxy.remoteurl: missing"}},
		{"mirror of a host", strings.Replace(mirror, "https://registry-1.docker.io", "docker.io", 1), []string{`proxy.remoteurl: "docker.io": must be a URL`}},
		{"mirror of a user", strings.Replace(mirror, "https://", "https://robot:SECRET@", 1), []string{"without a user; a login goes into proxy.username and proxy.password"}},
		{"mirror of a folder", strings.Replace(mirror, "https://", "file://", 1), []string{`proxy.remoteurl: "file://registry-1.docker.io": must be a URL with http://`}},
		{"lifetime without a unit", strings.Replace(mirror, "168h", "168", 1), []string{"proxy.ttl: \"168\": must be a duration with a unit"}},
		{"mirror with users", mirror + "auth: {htpasswd: {realm: r, path: p}}\n", []string{"auth: not allowed with proxy: Docker sends no credentials to a mirror"}},
		{"mirror that keeps all", strings.Replace(mirror, "delete: {enabled: true}", "delete: {enabled: false}", 1), []string{"storage.delete.enabled: must be true with proxy"}},
		{"mirror that keeps all, with another false", strings.Replace(mirror, "delete: {enabled: true}", "delete: {enabled: off}", 1), []string{"storage.delete.enabled: must be true with proxy"}},
		{"mirror with a cache of descriptors", strings.Replace(mirror, "delete:", "cache: {blobdescriptor: inmemory}, delete:", 1), []string{"storage.cache: not allowed with proxy"}},
		{"mirror in a bucket", strings.Replace(mirror, "filesystem: {}", "s3: {bucket: b, region: r}", 1), []string{"storage: a mirror keeps its cache in a folder"}},
		{"mirror with half a login", strings.Replace(mirror, "password: p, ", "", 1), []string{"proxy.username: needs proxy.password"}},
		{"mirror with a credential helper", strings.Replace(mirror, "ttl:", "exec: {command: /helper}, ttl:", 1), []string{"proxy.exec: there is no program"}},
		{"schedule", minimalWith("inmemory: {}, maintenance: {garbagecollection: {schedule: '@daily'}}"), []string{`garbagecollection.schedule: "…@daily": must be five fields of cron, such as 0 3 * * *`}},
		{"time zone", minimalWith("inmemory: {}, maintenance: {garbagecollection: {timezone: Berlin}}"), []string{`"Berlin": not a time zone of the IANA database`, "garbagecollection.timezone: needs storage.maintenance.garbagecollection.schedule"}},
		{"rule that keeps nothing", minimalWith("inmemory: {}, maintenance: {garbagecollection: {retention: {rules: [{keepnewest: 1}, {repositories: [a]}, {keeptags: []}]}}}"), []string{"garbagecollection.retention.rules[1]: keeps nothing", "garbagecollection.retention.rules[2]: keeps nothing"}},
		{"rule with bad values", minimalWith("inmemory: {}, maintenance: {garbagecollection: {retention: {rules: [{keepnewest: 0, keeptags: ['[']}]}}}"), []string{`rules[0].keepnewest: "0": must be a whole number of 1 or more`, `rules[0].keeptags[0]: "[": is not a name with *`}},
		{"collection of a read-only registry", minimalWith("inmemory: {}, maintenance: {readonly: {enabled: true}, garbagecollection: {schedule: 0 3 * * *}}"), []string{"garbagecollection: needs a registry that may delete"}},
		{"collection of a read-only registry, with another true", minimalWith("inmemory: {}, maintenance: {readonly: {enabled: True}, garbagecollection: {schedule: 0 3 * * *}}"), []string{"garbagecollection: needs a registry that may delete"}},
		{"collection of a mirror", minimalWith("inmemory: {}, maintenance: {garbagecollection: {schedule: 0 3 * * *}}") + "proxy: {remoteurl: 'https://registry-1.docker.io'}\n", []string{"garbagecollection: is not for a pull-through cache"}},
		{"proxies that are no addresses", minimal + "server: {trustedproxies: [nginx, '10.0.0.0/33', 'fe80::1%eth0', '::ffff:10.0.0.0/104', '']}\n", []string{
			"5 problems", `server.trustedproxies[0]: "nginx": is not an IP address, or a range of them such as 10.0.0.0/8`,
			"server.trustedproxies[1]", "server.trustedproxies[2]", "server.trustedproxies[3]", "server.trustedproxies[4]",
		}},
		{"everybody a proxy", minimal + "server: {trustedproxies: ['0.0.0.0/0', '::/0']}\n", []string{
			`server.trustedproxies[0]: "0.0.0.0/0": stands for every address there is`, "server.trustedproxies[1]",
		}},
		{"alias", "version: 0.1\nstorage: &s {inmemory: {}}\nhttp: {addr: ':5000'}\nlog: *s\n", []string{"storage: YAML anchors, aliases and tags are not allowed", "log: YAML anchors, aliases and tags are not allowed"}},
		{"tag", withHTTP("host: !!str https://x"), []string{"YAML anchors, aliases and tags are not allowed"}},
		{"not YAML", "version: [", []string{"yaml: line 1"}},
		{"two documents", minimal + "---\n" + minimal, []string{"more than one YAML document"}},
		{"empty", "", []string{"the file is empty"}},
		{"only a comment", "# nothing\n", []string{"the file is empty"}},
		{"a word", "registry\n", []string{"the file: must be a section, not a single value"}},
		{"all at once", "version: 0.1\nstorage:\n  filesystem: {rootdirectroy: /x}\nhttp:\n  adr: ':5000'\n  draintimeout: soon\n", []string{
			"4 problems", "line 3: storage.filesystem.rootdirectroy", "line 5: http.adr: unknown key; did you mean addr?", "line 5: http.addr: missing", "line 6: http.draintimeout",
		}},
	}
	for _, f := range files {
		t.Run(f.name, func(t *testing.T) {
			_, err := Load(write(t, f.content))
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range f.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in:\n%v", want, err)
				}
			}
		})
	}
}

func withHTTP(keys string) string {
	return strings.Replace(minimal, "{addr:", "{"+keys+", addr:", 1)
}

func TestSecretsAreNotRepeated(t *testing.T) {
	const secret = "hunter2"
	files := map[string]string{
		"wrong type":          withHTTP("secret: [" + secret + "]"),
		"number":              withHTTP("secret: 0x68756e"),
		"s3":                  minimalWith("s3: {bucket: b, region: r, secretkey: {" + secret + ": 1}, accesskey: [" + secret + "]}"),
		"azure":               minimalWith("azure: {accountname: a, container: c, accountkey: [" + secret + "], credentials: {type: shared_key, secret: [" + secret + "]}}"),
		"gcs":                 minimalWith("gcs: {bucket: b, credentials: {private_key: [" + secret + "]}}"),
		"redis":               minimal + "redis: {password: [" + secret + "]}\n",
		"header":              minimal + "notifications: {endpoints: [{name: n, url: 'https://x/', headers: {Authorization: [{a: " + secret + "}]}}]}\n",
		"user in a URL":       minimal + "proxy: {remoteurl: 'u:" + secret + "@registry.example.com'}\n",
		"user at an upstream": strings.Replace(mirror, "https://", "https://u:"+secret+"@", 1),
		"reads like an alias": withHTTP("secret: *" + secret),
		"unknown key":         withHTTP("secrte: " + secret),
	}
	for name, content := range files {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, content))
			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "0x68756e") {
				t.Errorf("the error repeats the secret: %v", err)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	tests := []struct {
		name string
		set  map[string]string
		want string
	}{
		{"path of the file", map[string]string{"REGISTRY_CONFIGURATION_PATH": "/x"}, ""},
		{"others", map[string]string{"REGISTRY_HTTP_SECRET": "hunter2", "REGISTRY_AUTH": "x", "PATH_REGISTRY_": "x"}, "environment: REGISTRY_AUTH, REGISTRY_HTTP_SECRET: not allowed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for name, value := range test.set {
				t.Setenv(name, value)
			}
			_, err := Load(write(t, minimal))
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2")):
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func write(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
