package swift

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"sort"
	"strings"

	ncw "github.com/ncw/swift/v2"
)

const (
	defaultChunkSize = 16 << 20
	minChunkSize     = 1 << 20
	maxChunkSize     = 1 << 30
	defaultUserAgent = "container-registry"
)

// parameters are the driver's options, as the engine's configuration gives them under storage.swift.
type parameters struct {
	authURL     string
	authVersion int
	username    string
	password    string

	applicationCredentialID     string
	applicationCredentialName   string
	applicationCredentialSecret string

	tenant         string
	tenantID       string
	domain         string
	domainID       string
	tenantDomain   string
	tenantDomainID string
	trustID        string
	region         string
	endpointType   ncw.EndpointType

	container          string
	rootDirectory      string
	chunkSize          int
	insecureSkipVerify bool
	userAgent          string

	secretKey           string
	tempURLContainerKey bool
	tempURLMethods      []string
}

// parseParameters reads the options strictly: an unknown name, a wrong type or a missing value is an error that
// names the option. All errors are reported at once. Values are never repeated in errors: some are secrets.
func parseParameters(raw map[string]any) (*parameters, error) {
	o := &options{raw: raw, known: map[string]bool{}}
	p := &parameters{
		authURL:     o.text("authurl"),
		authVersion: o.integer("authversion", 0, 1, 3),
		username:    o.text("username"),
		password:    o.text("password"),

		applicationCredentialID:     o.text("applicationcredentialid"),
		applicationCredentialName:   o.text("applicationcredentialname"),
		applicationCredentialSecret: o.text("applicationcredentialsecret"),

		tenant:         o.text("tenant"),
		tenantID:       o.text("tenantid"),
		domain:         o.text("domain"),
		domainID:       o.text("domainid"),
		tenantDomain:   o.text("tenantdomain"),
		tenantDomainID: o.text("tenantdomainid"),
		trustID:        o.text("trustid"),
		region:         o.text("region"),
		endpointType:   ncw.EndpointType(o.oneOf("endpointtype", "public", "internal", "admin")),

		container:          o.text("container"),
		rootDirectory:      strings.Trim(o.text("rootdirectory"), "/"),
		chunkSize:          o.integer("chunksize", defaultChunkSize, minChunkSize, maxChunkSize),
		insecureSkipVerify: o.boolean("insecureskipverify"),
		userAgent:          o.text("useragent"),

		secretKey:           o.text("secretkey"),
		tempURLContainerKey: o.boolean("tempurlcontainerkey"),
		tempURLMethods:      o.list("tempurlmethods", "GET", "HEAD", "PUT", "POST", "DELETE"),
	}
	if p.userAgent == "" {
		p.userAgent = defaultUserAgent
	}
	o.refuseUnknown()
	o.checkAuthURL(p)
	o.checkCredentials(p)
	switch {
	case p.container == "":
		o.fail("container", "is required")
	case strings.Contains(p.container, "/"):
		o.fail("container", `must not contain "/"; a folder in the container is given by rootdirectory`)
	}
	if err := errors.Join(o.errs...); err != nil {
		return nil, err
	}
	return p, nil
}

// Check says what is wrong with the options; nothing is asked for.
func Check(raw map[string]any) error {
	_, err := parseParameters(raw)
	return err
}

// options reads typed values from the raw configuration and collects what is wrong with them.
type options struct {
	raw   map[string]any
	known map[string]bool
	errs  []error
}

func (o *options) fail(name, format string, args ...any) {
	o.errs = append(o.errs, fmt.Errorf("storage.swift: %s %s", name, fmt.Sprintf(format, args...)))
}

// value is nil when the option is absent or empty in the file ("password:").
func (o *options) value(name string) any {
	o.known[name] = true
	return o.raw[name]
}

func (o *options) text(name string) string {
	switch v := o.value(name).(type) {
	case nil:
		return ""
	case string:
		return v
	case int, int64, uint64, float64, bool:
		// YAML has read 0123 as 83 and 1e3 as 1000 by now: turning it back into text could be another value.
		o.fail(name, "must be a string: put its value in quotes")
	default:
		o.fail(name, "must be a string")
	}
	return ""
}

func (o *options) oneOf(name string, allowed ...string) string {
	v := o.text(name)
	if v != "" && !slices.Contains(allowed, v) {
		o.fail(name, "must be one of %s", strings.Join(allowed, ", "))
	}
	return v
}

func (o *options) boolean(name string) bool {
	switch v := o.value(name).(type) {
	case nil:
		return false
	case bool:
		return v
	default:
		o.fail(name, "must be true or false")
		return false
	}
}

func (o *options) integer(name string, absent, least, most int) int {
	var v int64
	switch n := o.value(name).(type) {
	case nil:
		return absent
	case int:
		v = int64(n)
	case int64:
		v = n
	case uint64:
		v = int64(min(n, math.MaxInt64))
	default:
		o.fail(name, "must be a whole number")
		return absent
	}
	if v < int64(least) || v > int64(most) {
		o.fail(name, "must be between %d and %d", least, most)
		return absent
	}
	return int(v)
}

func (o *options) list(name string, allowed ...string) []string {
	var values []string
	switch v := o.value(name).(type) {
	case nil:
		return nil
	case []string:
		values = v
	case []any:
		for _, item := range v {
			text, ok := item.(string)
			if !ok {
				o.fail(name, "must be a list of strings")
				return nil
			}
			values = append(values, text)
		}
	default:
		o.fail(name, "must be a list of strings")
		return nil
	}
	for _, v := range values {
		if !slices.Contains(allowed, v) {
			o.fail(name, "must only list %s", strings.Join(allowed, ", "))
			return nil
		}
	}
	return values
}

func (o *options) refuseUnknown() {
	var unknown []string
	for name := range o.raw {
		if !o.known[name] {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		if name == "prefix" {
			o.fail(name, "is now called rootdirectory, as in the other drivers; give the same value there")
			continue
		}
		o.fail(name, "is not an option of this driver")
	}
}

func (o *options) checkAuthURL(p *parameters) {
	if p.authURL == "" {
		o.fail("authurl", "is required")
		return
	}
	u, err := url.Parse(p.authURL)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		o.fail("authurl", "must be a http or https URL")
	case u.User != nil:
		// It would end up in error messages.
		o.fail("authurl", "must not contain credentials; give username and password")
	case p.authVersion == 0:
		if p.authVersion = versionOf(u.Path); p.authVersion == 0 {
			o.fail("authversion", "must be given (1, 2 or 3), as authurl doesn't tell it by ending in /v1.0, /v2.0 or /v3")
		}
	}
}

// versionOf finds the API version in the path of an authentication URL, 0 when it has none.
func versionOf(path string) int {
	parts := strings.Split(path, "/")
	for _, part := range slices.Backward(parts) {
		if len(part) >= 2 && part[0] == 'v' && part[1] >= '1' && part[1] <= '3' {
			return int(part[1] - '0')
		}
	}
	return 0
}

func (o *options) checkCredentials(p *parameters) {
	if p.applicationCredentialID == "" && p.applicationCredentialName == "" && p.applicationCredentialSecret == "" {
		if p.username == "" {
			o.fail("username", "is required")
		}
		if p.password == "" {
			o.fail("password", "is required")
		}
		return
	}
	if p.authVersion != 0 && p.authVersion != 3 {
		o.fail("authversion", "must be 3 for application credentials")
	}
	if p.password != "" {
		o.fail("password", "can't be given together with an application credential")
	}
	if p.applicationCredentialSecret == "" {
		o.fail("applicationcredentialsecret", "is required")
	}
	switch {
	case p.applicationCredentialID != "" && p.applicationCredentialName != "":
		o.fail("applicationcredentialname", "can't be given together with applicationcredentialid")
	case p.applicationCredentialID == "" && p.applicationCredentialName == "":
		o.fail("applicationcredentialid", "or applicationcredentialname is required")
	case p.applicationCredentialName != "" && (p.username == "" || (p.domain == "" && p.domainID == "")):
		o.fail("applicationcredentialname", "needs username and domain (or domainid), whose name space it is in")
	}
}
