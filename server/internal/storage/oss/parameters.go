package oss

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

const (
	kib = int64(1) << 10
	mib = kib << 10
	gib = mib << 10

	// minPartSize is what OSS asks of every part but the last.
	minPartSize = 100 * kib
	// maxParts is how many parts OSS takes for one object.
	maxParts = 10000

	defaultChunkSize = 10 * mib
	// maxChunkSize bounds the memory of one upload; OSS itself takes 5 GiB.
	maxChunkSize = gib

	defaultCopyThreshold = 256 * mib
	// maxCopyThreshold is the largest object OSS documents for CopyObject.
	maxCopyThreshold = gib

	// maxRootLength leaves most of the 1023 bytes of a key to the registry.
	maxRootLength = 256
)

// parameters is the checked form of the driver's configuration.
type parameters struct {
	accessKeyID     string
	accessKeySecret string
	ramRole         string
	region          string
	bucket          string
	endpoint        *url.URL // nil: from the region
	internal        bool
	accelerate      bool
	secure          bool
	encrypt         bool
	encryptionKeyID string
	chunkSize       int64
	copyThreshold   int64
	rootDirectory   string // no slash at either end
	userAgent       string
}

// parseParameters checks raw and reports everything wrong with it at once.
// Messages name parameters, never their values: some of them are secret.
func parseParameters(raw map[string]any) (parameters, error) {
	in := input{left: maps.Clone(raw)}
	p := parameters{
		accessKeyID:     in.text("accesskeyid"),
		accessKeySecret: in.text("accesskeysecret"),
		ramRole:         in.text("ramrole"),
		region:          strings.TrimPrefix(in.text("region"), "oss-"),
		bucket:          in.text("bucket"),
		internal:        in.flag("internal", false),
		accelerate:      in.flag("accelerate", false),
		encrypt:         in.flag("encrypt", false),
		encryptionKeyID: in.text("encryptionkeyid"),
		chunkSize:       in.size("chunksize", defaultChunkSize, minPartSize, maxChunkSize),
		copyThreshold:   in.size("multipartcopythresholdsize", defaultCopyThreshold, minPartSize, maxCopyThreshold),
		rootDirectory:   strings.Trim(in.text("rootdirectory"), "/"),
		userAgent:       in.text("useragent"),
	}
	secureGiven := in.left["secure"] != nil
	p.secure = in.flag("secure", true)
	if endpoint := in.text("endpoint"); endpoint != "" {
		p.endpoint = in.endpoint(endpoint, p.bucket, p.secure, secureGiven)
	}
	for _, name := range slices.Sorted(maps.Keys(in.left)) {
		in.errs = append(in.errs, fmt.Errorf("unknown parameter %q", name))
	}
	in.combinations(p)
	if len(in.errs) > 0 {
		return parameters{}, fmt.Errorf("oss: %w", errors.Join(in.errs...))
	}
	return p, nil
}

// Check says what is wrong with the parameters; nothing is asked for.
func Check(raw map[string]any) error {
	_, err := parseParameters(raw)
	return err
}

// input takes typed values out of a parameter map and collects complaints.
type input struct {
	left map[string]any
	errs []error
}

func (in *input) complain(name, format string, args ...any) {
	in.errs = append(in.errs, fmt.Errorf("parameter %q "+format, append([]any{name}, args...)...))
}

// take removes a value. A key without a value, as YAML allows, counts as absent.
func (in *input) take(name string) any {
	v := in.left[name]
	delete(in.left, name)
	return v
}

func (in *input) text(name string) string {
	switch v := in.take(name).(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(v)
	default:
		in.complain(name, "must be a string, not %T: put it in quotes", v)
		return ""
	}
}

func (in *input) flag(name string, fallback bool) bool {
	switch v := in.take(name).(type) {
	case nil:
		return fallback
	case bool:
		return v
	case string:
		if v == "true" || v == "false" {
			return v == "true"
		}
	}
	in.complain(name, "must be true or false")
	return fallback
}

func (in *input) size(name string, fallback, low, high int64) int64 {
	n := int64(-1)
	switch v := in.take(name).(type) {
	case nil:
		return fallback
	case int:
		n = int64(v)
	case int64:
		n = v
	case string:
		if parsed, err := strconv.ParseInt(v, 10, 64); err == nil {
			n = parsed
		}
	}
	if n < low || n > high {
		in.complain(name, "must be a number of bytes from %d to %d", low, high)
		return fallback
	}
	return n
}

// endpoint reads host[:port] or a URL. As v2 wanted the bucket in front of the
// host, that is taken off.
func (in *input) endpoint(text, bucket string, secure, secureGiven bool) *url.URL {
	scheme := "https"
	if !secure {
		scheme = "http"
	}
	hasScheme := strings.Contains(text, "://")
	if !hasScheme {
		text = scheme + "://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		in.complain("endpoint", "must be host[:port] or an http or https URL")
		return nil
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		in.complain("endpoint", "must hold nothing but scheme, host and port")
		return nil
	case hasScheme && secureGiven && u.Scheme != scheme:
		in.complain("endpoint", "contradicts parameter \"secure\"")
		return nil
	case strings.Contains(u.Hostname(), ":"):
		in.complain("endpoint", "must not be an IPv6 address: the bucket goes in front of it")
		return nil
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.TrimPrefix(u.Host, bucket+".")}
}

// combinations checks what single values cannot tell.
func (in *input) combinations(p parameters) {
	switch {
	case p.region == "":
		in.complain("region", "is required")
	case !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(p.region):
		in.complain("region", "must be a region ID such as cn-hangzhou")
	}
	switch {
	case p.bucket == "":
		in.complain("bucket", "is required")
	case !oss.IsValidBucketName(&p.bucket):
		in.complain("bucket", "must be 3 to 63 lower-case letters, digits and hyphens")
	}
	if (p.accessKeyID == "") != (p.accessKeySecret == "") {
		in.complain("accesskeyid", "and \"accesskeysecret\" go together")
	}
	if p.ramRole != "" && p.accessKeyID != "" {
		in.complain("ramrole", "cannot be combined with \"accesskeyid\"")
	}
	if p.encryptionKeyID != "" && !p.encrypt {
		in.complain("encryptionkeyid", "needs \"encrypt\" to be true")
	}
	if p.internal && p.accelerate {
		in.complain("internal", "cannot be combined with \"accelerate\"")
	}
	if p.endpoint != nil && (p.internal || p.accelerate) {
		in.complain("endpoint", "cannot be combined with \"internal\" or \"accelerate\"")
	}
	if p.rootDirectory != "" && (len(p.rootDirectory) > maxRootLength || !storagedriver.PathRegexp.MatchString("/"+p.rootDirectory)) {
		in.complain("rootdirectory", "must be a path of letters, digits, dots, underscores and hyphens, up to %d bytes", maxRootLength)
	}
}

// apiEndpoint is where requests go.
func (p parameters) apiEndpoint() *url.URL {
	switch {
	case p.endpoint != nil:
		return p.endpoint
	case p.accelerate:
		return p.ossURL("oss-accelerate")
	case p.internal:
		return p.ossURL("oss-" + p.region + "-internal")
	}
	return p.ossURL("oss-" + p.region)
}

// redirectEndpoint is where clients of the registry are sent. It is nil when
// they could not get there.
func (p parameters) redirectEndpoint() *url.URL {
	if p.internal {
		return p.ossURL("oss-" + p.region)
	}
	endpoint := p.apiEndpoint()
	if net.ParseIP(endpoint.Hostname()) != nil {
		return nil
	}
	return endpoint
}

func (p parameters) ossURL(name string) *url.URL {
	scheme := "https"
	if !p.secure {
		scheme = "http"
	}
	return &url.URL{Scheme: scheme, Host: name + ".aliyuncs.com"}
}
