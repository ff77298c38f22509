package swift

import (
	"reflect"
	"strings"
	"testing"

	ncw "github.com/ncw/swift/v2"
)

// least are the options every configuration has.
var least = map[string]any{
	"authurl":   "https://keystone.example:5000/v3",
	"username":  "registry",
	"password":  "secret-password",
	"container": "images",
}

func without(parameters map[string]any, names ...string) map[string]any {
	rest := with(parameters)
	for _, name := range names {
		delete(rest, name)
	}
	return rest
}

func TestParameters(t *testing.T) {
	defaults := Options{
		AuthURL: "https://keystone.example:5000/v3", AuthVersion: 3, Username: "registry", Password: "secret-password",
		Container: "images", ChunkSize: defaultChunkSize, UserAgent: defaultUserAgent,
	}
	tests := []struct {
		name string
		raw  map[string]any
		want func(p *Options)
	}{
		{"defaults", least, func(p *Options) {}},
		{"all", with(least,
			"authversion", 3, "tenant", "t", "tenantid", "ti", "domain", "d", "domainid", "di", "tenantdomain", "td",
			"tenantdomainid", "tdi", "trustid", "tr", "region", "r", "endpointtype", "internal", "rootdirectory", "/a/b/",
			"chunksize", 5<<20, "insecureskipverify", true, "useragent", "distribution/v3", "secretkey", "s",
			"tempurlcontainerkey", true, "tempurlmethods", []any{"GET", "HEAD"},
		), func(p *Options) {
			p.Tenant, p.TenantID, p.Domain, p.DomainID, p.TenantDomain, p.TenantDomainID = "t", "ti", "d", "di", "td", "tdi"
			p.TrustID, p.Region, p.EndpointType, p.RootDirectory = "tr", "r", ncw.EndpointTypeInternal, "a/b"
			p.ChunkSize, p.InsecureSkipVerify, p.UserAgent = 5<<20, true, "distribution/v3"
			p.SecretKey, p.TempURLContainerKey, p.TempURLMethods = "s", true, []string{"GET", "HEAD"}
		}},
		{"version 1 from the URL", with(least, "authurl", "http://swift:8080/auth/v1.0"), func(p *Options) {
			p.AuthURL, p.AuthVersion = "http://swift:8080/auth/v1.0", 1
		}},
		{"version 2 from the URL", with(least, "authurl", "http://keystone/v2.0/"), func(p *Options) {
			p.AuthURL, p.AuthVersion = "http://keystone/v2.0/", 2
		}},
		{"version given", with(least, "authurl", "http://keystone/identity", "authversion", int64(3)), func(p *Options) {
			p.AuthURL, p.AuthVersion = "http://keystone/identity", 3
		}},
		{"version given against the URL", with(least, "authversion", uint64(2)), func(p *Options) { p.AuthVersion = 2 }},
		{"empty values are absent", with(least, "region", nil, "chunksize", nil, "tempurlmethods", nil, "insecureskipverify", nil),
			func(p *Options) {}},
		{"application credential by id", with(without(least, "username", "password"), "applicationcredentialid", "id", "applicationcredentialsecret", "s"),
			func(p *Options) {
				p.Username, p.Password, p.ApplicationCredentialID, p.ApplicationCredentialSecret = "", "", "id", "s"
			}},
		{"application credential by name", with(without(least, "password"), "applicationcredentialname", "n", "applicationcredentialsecret", "s", "domain", "d"),
			func(p *Options) {
				p.Password, p.ApplicationCredentialName, p.ApplicationCredentialSecret, p.Domain = "", "n", "s", "d"
			}},
		{"list of strings", with(least, "tempurlmethods", []string{"GET"}), func(p *Options) { p.TempURLMethods = []string{"GET"} }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseParameters(test.raw)
			if err != nil {
				t.Fatal(err)
			}
			want := defaults
			test.want(&want)
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got\n%+v, want\n%+v", *got, want)
			}
		})
	}
}

func TestParameterErrors(t *testing.T) {
	credential := with(without(least, "username", "password"), "applicationcredentialid", "id", "applicationcredentialsecret", "s")
	tests := []struct {
		name string
		raw  map[string]any
		want []string
	}{
		{"nothing", nil, []string{"authurl is required", "username is required", "password is required", "container is required"}},
		{"unknown names", with(least, "regoin", "x", "accesskey", "y"), []string{"accesskey is not an option", "regoin is not an option"}},
		{"number for text", with(least, "password", 123456), []string{"password must be a string: put its value in quotes"}},
		{"list for text", with(least, "region", []any{"x"}), []string{"region must be a string"}},
		{"text for a truth", with(least, "insecureskipverify", "true"), []string{"insecureskipverify must be true or false"}},
		{"text for a number", with(least, "chunksize", "16MB"), []string{"chunksize must be a whole number"}},
		{"fraction for a number", with(least, "chunksize", 1.5), []string{"chunksize must be a whole number"}},
		{"small segments", with(least, "chunksize", 1<<20-1), []string{"chunksize must be between 1048576 and 1073741824"}},
		{"large segments", with(least, "chunksize", uint64(1<<63)), []string{"chunksize must be between"}},
		{"future version", with(least, "authversion", 4), []string{"authversion must be between 1 and 3"}},
		{"no version", with(least, "authurl", "https://keystone.example:5000"), []string{"authversion must be given"}},
		{"host that looks like a version", with(least, "authurl", "https://v3.example/"), []string{"authversion must be given"}},
		{"not a URL", with(least, "authurl", "keystone:5000/v3"), []string{"authurl must be a http or https URL"}},
		{"credentials in the URL", with(least, "authurl", "https://u:secret-password@keystone/v3"), []string{"authurl must not contain credentials"}},
		{"endpoint type", with(least, "endpointtype", "publicURL"), []string{"endpointtype must be one of public, internal, admin"}},
		{"methods as text", with(least, "tempurlmethods", "GET"), []string{"tempurlmethods must be a list of strings"}},
		{"number as a method", with(least, "tempurlmethods", []any{1}), []string{"tempurlmethods must be a list of strings"}},
		{"strange method", with(least, "tempurlmethods", []any{"get"}), []string{"tempurlmethods must only list GET, HEAD"}},
		{"folder in container", with(least, "container", "images/one"), []string{`container must not contain "/"`}},
		{"password and application credential", with(credential, "password", "secret-password"), []string{"password can't be given together"}},
		{"application credential without secret", without(credential, "applicationcredentialsecret"), []string{"applicationcredentialsecret is required"}},
		{"secret without application credential", without(credential, "applicationcredentialid"), []string{"applicationcredentialid or applicationcredentialname is required"}},
		{"two application credentials", with(credential, "applicationcredentialname", "n"), []string{"applicationcredentialname can't be given together"}},
		{"whose application credential", with(without(credential, "applicationcredentialid"), "applicationcredentialname", "n"), []string{"applicationcredentialname needs username and domain"}},
		{"application credential of version 2", with(credential, "authversion", 2), []string{"authversion must be 3"}},
		{"several at once", with(without(least, "container"), "chunksize", true, "x", 1), []string{"container is required", "chunksize must be", "x is not"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseParameters(test.raw)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), "storage.swift: "+want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "secret-password") || strings.Contains(err.Error(), "123456") {
				t.Errorf("error %q tells a secret", err)
			}
		})
	}
}
