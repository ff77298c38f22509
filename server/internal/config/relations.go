package config

import (
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// relations checks what no single key shows: keys that need or exclude each other.
func (c *checker) relations(root *yaml.Node) {
	c.oneDriver(root)
	c.tls(root)
	c.mirror(root)
	c.garbageCollection(root)
	c.notifications(root)
	if cache := find(root, "storage", "cache", "blobdescriptor"); value(cache) == "redis" && isEmpty(find(root, "redis", "addrs")) {
		c.problems.add(cache.Line, "storage.cache.blobdescriptor", `"redis": needs redis.addrs`)
	}
	if h2c := find(root, "http", "h2c", "enabled"); isTrue(h2c) && find(root, "http", "tls", "certificate") != nil {
		c.problems.add(h2c.Line, "http.h2c.enabled", "%s: has no meaning with http.tls, where HTTP/2 is on unless http.http2.disabled", h2c.Value)
	}
	if addr := find(root, "http", "addr"); isText(addr) && value(find(root, "http", "net")) != "unix" {
		if err := hostAndPort(addr.Value); err != nil {
			c.problems.add(addr.Line, "http.addr", "%s: %v", quote(addr.Value), err)
		}
	}
}

func (c *checker) oneDriver(root *yaml.Node) {
	storage := find(root, "storage")
	if storage == nil || storage.Kind != yaml.MappingNode {
		return
	}
	var given []string
	for i := 0; i < len(storage.Content); i += 2 {
		if name := storage.Content[i].Value; drivers[name] != nil {
			given = append(given, name)
		}
	}
	if len(given) == 1 {
		return
	}
	var allowed []string
	for name := range drivers {
		allowed = append(allowed, name)
	}
	sort.Strings(allowed)
	found := "none given"
	if len(given) > 1 {
		found = strings.Join(given, " and ") + " given"
	}
	c.problems.add(storage.Line, "storage", "%s; exactly one driver is needed: %s", found, strings.Join(allowed, ", "))
}

func (c *checker) tls(root *yaml.Node) {
	tls := find(root, "http", "tls")
	if tls == nil || tls.Kind != yaml.MappingNode {
		return
	}
	needs := func(key, other string) {
		if n := find(tls, key); n != nil && isEmpty(find(tls, other)) {
			c.problems.add(n.Line, "http.tls."+key, "needs http.tls.%s", other)
		}
	}
	needs("certificate", "key")
	needs("key", "certificate")
	needs("clientcas", "certificate")
	needs("minimumtls", "certificate")
	needs("ciphersuites", "certificate")
	// Without CAs the engine leaves client authentication off, whatever is asked for.
	needs("clientauth", "clientcas")
	suites := find(tls, "ciphersuites")
	switch {
	case suites == nil || len(suites.Content) == 0:
	case value(find(tls, "minimumtls")) == "tls1.3":
		c.problems.add(suites.Line, "http.tls.ciphersuites", "has no effect with http.tls.minimumtls tls1.3")
	case !isTrue(find(root, "http", "http2", "disabled")) && !servesHTTP2(suites):
		c.problems.add(suites.Line, "http.tls.ciphersuites", "HTTP/2 needs %s; or set http.http2.disabled", strings.Join(http2Suites, " or "))
	}
}

func (c *checker) mirror(root *yaml.Node) {
	proxy := find(root, "proxy")
	if proxy == nil {
		if mirror := find(root, "server", "mirror"); mirror != nil {
			c.problems.add(mirror.Line, "server.mirror", "not allowed without proxy: a registry deletes nothing by its size")
		}
		return
	}
	if auth := find(root, "auth"); auth != nil {
		c.problems.add(auth.Line, "auth", "not allowed with proxy: Docker sends no credentials to a mirror")
	}
	if !isTrue(find(root, "storage", "delete", "enabled")) {
		c.problems.add(proxy.Line, "storage.delete.enabled", "must be true with proxy: what has expired could not be deleted")
	}
	if audit := find(root, "server", "audit"); audit != nil {
		c.problems.add(audit.Line, "server.audit", "not allowed with proxy: nobody logs in to a mirror or writes to it")
	}
	if cache := find(root, "storage", "cache"); cache != nil {
		c.problems.add(cache.Line, "storage.cache", "not allowed with proxy: it would go on naming blobs that have expired")
	}
	if find(root, "storage", "filesystem") == nil && find(root, "storage", "inmemory") == nil {
		c.problems.add(proxy.Line, "storage", "a mirror keeps its cache in a folder; use the driver filesystem")
	}
	needs := func(key, other string) {
		if n := find(proxy, key); n != nil && find(proxy, other) == nil {
			c.problems.add(n.Line, "proxy."+key, "needs proxy.%s", other)
		}
	}
	needs("username", "password")
	needs("password", "username")
}

// http2Suites are the cipher suites of which RFC 9113 demands one with TLS 1.2.
var http2Suites = []string{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}

func servesHTTP2(suites *yaml.Node) bool {
	for _, suite := range suites.Content {
		if contains(http2Suites, suite.Value) {
			return true
		}
	}
	return false
}

// find returns the value at a path of keys, nil when it is absent.
func find(n *yaml.Node, path ...string) *yaml.Node {
	for _, name := range path {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		var next *yaml.Node
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				next = n.Content[i+1]
			}
		}
		n = next
	}
	return n
}

func isText(n *yaml.Node) bool {
	if n == nil || n.Kind != yaml.ScalarNode {
		return false
	}
	_, ok := meaning(n).(string)
	return ok
}

// isTrue uses the meaning, because the engine takes yes and on for true as well.
func isTrue(n *yaml.Node) bool {
	return n != nil && meaning(n) == true
}

// isEmpty says whether a list has nothing in it: to the engine an empty list is the same as none.
func isEmpty(n *yaml.Node) bool {
	return n == nil || isNull(n) || n.Kind == yaml.SequenceNode && len(n.Content) == 0
}

func value(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}
