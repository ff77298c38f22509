package config

import (
	"crypto/tls"
	"reflect"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"
)

// fileRule is the rule for the whole file: what the engine's types say, and what
// the engine checks later, with a panic, or not at all.
func fileRule() *rule {
	file := fromEngine(reflect.TypeFor[configuration.Configuration]())
	file.keys["server"] = serverRule()

	file.keys["loglevel"].refused = "is deprecated; use log.level"
	file.keys["middleware"].refused = "no middleware is part of this server"
	file.at("http.tls.letsencrypt").refused = "is not part of this server; give http.tls.certificate and http.tls.key, they may change while it runs"

	file.at("log.formatter").allowed = []string{"text", "json"}
	file.at("log.hooks[].type").allowed = []string{"mail"}
	file.at("log.hooks[].levels[]").allowed = logLevels()

	file.keys["http"].required = true
	file.at("http.addr").required = true
	file.at("http.net").allowed = []string{"tcp", "unix"}
	file.at("http.host").valid = absoluteURL
	file.at("http.prefix").valid = slashes
	file.at("http.tls.minimumtls").allowed = []string{"tls1.2", "tls1.3"}
	file.at("http.tls.ciphersuites[]").allowed = cipherSuites()
	file.at("http.debug.addr").valid = hostAndPort
	file.at("http.debug.prometheus.path").valid = leadingSlash

	file.at("proxy.remoteurl").required = true
	file.at("proxy.remoteurl").valid = webURL("a login goes into proxy.username and proxy.password")
	file.at("proxy.exec").refused = "there is no program in this server's image that could be run; use proxy.username and proxy.password"

	file.at("health.file[].file").required = true
	file.at("health.http[].uri").required = true
	file.at("health.http[].uri").valid = absoluteURL
	file.at("health.http[].headers").item.item.secret = true
	file.at("health.tcp[].addr").required = true
	file.at("health.tcp[].addr").valid = hostAndPort

	file.at("notifications.endpoints[].name").required = true
	file.at("notifications.endpoints[].url").required = true
	file.at("notifications.endpoints[].url").valid = webURL("a password goes into headers")
	file.at("notifications.endpoints[].headers").item.item.secret = true

	file.at("redis.maxretries").minimum = -1
	file.at("validation.manifests.urls.allow[]").valid = regularExpression
	file.at("validation.manifests.urls.deny[]").valid = regularExpression
	return file
}

func logLevels() []string {
	var names []string
	for _, level := range logrus.AllLevels {
		names = append(names, level.String())
	}
	return names
}

// cipherSuites returns the ones that Go calls secure; the engine also accepts broken ones.
func cipherSuites() []string {
	var names []string
	for _, suite := range tls.CipherSuites() {
		names = append(names, suite.Name)
	}
	return names
}
