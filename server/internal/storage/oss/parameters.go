package oss

import (
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/storage/options"
)

const (
	kib = int64(1) << 10
	mib = kib << 10

	// minPartSize is the minimum size of every part but the last; chunks and copied parts are no smaller.
	minPartSize = 100 * kib
	// maxParts is the number of parts that OSS accepts for one object.
	maxParts = 10000

	defaultChunkSize     = 10 * mib
	defaultCopyThreshold = 256 * mib

	// maxRootLength leaves most of the 1023 bytes of a key to the registry.
	maxRootLength = 256
)

// Options are what the configuration has under storage.oss. The size of a chunk is bounded because
// it is kept in memory; OSS itself accepts 5 GiB. The copy threshold is bounded by the largest object
// that OSS documents for CopyObject.
type Options struct {
	AccessKeyID     string `yaml:"accesskeyid" option:"secret"`
	AccessKeySecret string `yaml:"accesskeysecret" option:"secret"`
	RAMRole         string `yaml:"ramrole"`
	Region          string `yaml:"region" option:"required"`
	Bucket          string `yaml:"bucket" option:"required"`
	Endpoint        string `yaml:"endpoint"`
	Internal        bool   `yaml:"internal"`
	Accelerate      bool   `yaml:"accelerate"`
	Secure          *bool  `yaml:"secure"`
	Encrypt         bool   `yaml:"encrypt"`
	EncryptionKeyID string `yaml:"encryptionkeyid"`
	ChunkSize       int64  `yaml:"chunksize" option:"least=102400 most=1073741824"`
	CopyThreshold   int64  `yaml:"multipartcopythresholdsize" option:"least=102400 most=1073741824"`
	RootDirectory   string `yaml:"rootdirectory"`
	UserAgent       string `yaml:"useragent"`
}

// parameters are the options as the driver uses them.
type parameters struct {
	Options           // the root directory without a slash at either end, the region without the prefix oss-
	endpoint *url.URL // nil: from the region
	secure   bool
}

// parseParameters checks raw and reports everything wrong with it at once.
func parseParameters(raw map[string]any) (parameters, error) {
	p := parameters{Options: Options{ChunkSize: defaultChunkSize, CopyThreshold: defaultCopyThreshold}}
	in := input{options.Read("oss", raw, &p.Options)}
	for _, text := range []*string{&p.AccessKeyID, &p.AccessKeySecret, &p.RAMRole, &p.Region, &p.Bucket, &p.Endpoint, &p.EncryptionKeyID, &p.UserAgent} {
		*text = strings.TrimSpace(*text)
	}
	p.Region = strings.TrimPrefix(p.Region, "oss-")
	p.RootDirectory = strings.Trim(strings.TrimSpace(p.RootDirectory), "/")
	p.secure = p.Secure == nil || *p.Secure
	if p.Endpoint != "" {
		p.endpoint = in.endpoint(p.Endpoint, p.Bucket, p.secure, p.Secure != nil)
	}
	in.combinations(p)
	return p, in.Err()
}

// Check says what is wrong with the options. It sends no requests.
func Check(raw map[string]any) error {
	_, err := parseParameters(raw)
	return err
}

// input collects what is wrong with the options.
type input struct{ *options.Problems }

// endpoint reads host[:port] or a URL. The driver of v2 required the bucket in
// front of the host, so it is removed.
func (in input) endpoint(text, bucket string, secure, secureGiven bool) *url.URL {
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
		in.Add("endpoint", "must be host[:port] or an http or https URL")
		return nil
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		in.Add("endpoint", "must hold nothing but scheme, host and port")
		return nil
	case hasScheme && secureGiven && u.Scheme != scheme:
		in.Add("endpoint", "contradicts secure")
		return nil
	case strings.Contains(u.Hostname(), ":"):
		in.Add("endpoint", "must not be an IPv6 address: the bucket goes in front of it")
		return nil
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.TrimPrefix(u.Host, bucket+".")}
}

// combinations checks for errors that single values do not show.
func (in input) combinations(p parameters) {
	if p.Region != "" && !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(p.Region) {
		in.Add("region", "must be a region ID such as cn-hangzhou")
	}
	if p.Bucket != "" && !oss.IsValidBucketName(&p.Bucket) {
		in.Add("bucket", "must be 3 to 63 lower-case letters, digits and hyphens")
	}
	if (p.AccessKeyID == "") != (p.AccessKeySecret == "") {
		in.Add("accesskeyid", "and accesskeysecret go together")
	}
	if p.RAMRole != "" && p.AccessKeyID != "" {
		in.Add("ramrole", "cannot be combined with accesskeyid")
	}
	if p.EncryptionKeyID != "" && !p.Encrypt {
		in.Add("encryptionkeyid", "needs encrypt to be true")
	}
	if p.Internal && p.Accelerate {
		in.Add("internal", "cannot be combined with accelerate")
	}
	if p.endpoint != nil && (p.Internal || p.Accelerate) {
		in.Add("endpoint", "cannot be combined with internal or accelerate")
	}
	if p.RootDirectory != "" && (len(p.RootDirectory) > maxRootLength || !storagedriver.PathRegexp.MatchString("/"+p.RootDirectory)) {
		in.Add("rootdirectory", "must be a path of letters, digits, dots, underscores and hyphens, up to %d bytes", maxRootLength)
	}
}

// apiEndpoint is where requests go.
func (p parameters) apiEndpoint() *url.URL {
	switch {
	case p.endpoint != nil:
		return p.endpoint
	case p.Accelerate:
		return p.ossURL("oss-accelerate")
	case p.Internal:
		return p.ossURL("oss-" + p.Region + "-internal")
	}
	return p.ossURL("oss-" + p.Region)
}

// redirectEndpoint is where clients of the registry are sent. It is nil when
// they could not get there.
func (p parameters) redirectEndpoint() *url.URL {
	if p.Internal {
		return p.ossURL("oss-" + p.Region)
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
