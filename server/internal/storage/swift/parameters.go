package swift

import (
	"net/url"
	"slices"
	"strings"

	ncw "github.com/ncw/swift/v2"

	"container-registry/server/internal/storage/options"
)

const (
	defaultChunkSize = 16 << 20
	// minChunkSize is the minimum that Swift requires of every segment but the last.
	minChunkSize     = 1 << 20
	defaultUserAgent = "container-registry"
)

// Options are what the configuration has under storage.swift.
type Options struct {
	AuthURL     string `yaml:"authurl" option:"required"`
	AuthVersion int    `yaml:"authversion" option:"least=1 most=3"`
	Username    string `yaml:"username"`
	Password    string `yaml:"password" option:"secret"`

	ApplicationCredentialID     string `yaml:"applicationcredentialid"`
	ApplicationCredentialName   string `yaml:"applicationcredentialname"`
	ApplicationCredentialSecret string `yaml:"applicationcredentialsecret" option:"secret"`

	Tenant         string           `yaml:"tenant"`
	TenantID       string           `yaml:"tenantid"`
	Domain         string           `yaml:"domain"`
	DomainID       string           `yaml:"domainid"`
	TenantDomain   string           `yaml:"tenantdomain"`
	TenantDomainID string           `yaml:"tenantdomainid"`
	TrustID        string           `yaml:"trustid"`
	Region         string           `yaml:"region"`
	EndpointType   ncw.EndpointType `yaml:"endpointtype" option:"allowed=public|internal|admin"`

	Container          string `yaml:"container" option:"required"`
	RootDirectory      string `yaml:"rootdirectory"` // without a slash at either end, once it is read
	ChunkSize          int    `yaml:"chunksize" option:"least=1048576 most=1073741824"`
	InsecureSkipVerify bool   `yaml:"insecureskipverify"`
	UserAgent          string `yaml:"useragent"`

	SecretKey           string   `yaml:"secretkey" option:"secret"`
	TempURLContainerKey bool     `yaml:"tempurlcontainerkey"`
	TempURLMethods      []string `yaml:"tempurlmethods" option:"allowed=GET|HEAD|PUT|POST|DELETE"`
}

// parseParameters reads the options strictly: an unknown name, a wrong type or a missing value is an error that
// names the option. All errors are reported at once.
func parseParameters(raw map[string]any) (*Options, error) {
	p := &Options{ChunkSize: defaultChunkSize}
	in := input{options.Read("swift", raw, p)}
	p.RootDirectory = strings.Trim(p.RootDirectory, "/")
	if p.UserAgent == "" {
		p.UserAgent = defaultUserAgent
	}
	in.checkAuthURL(p)
	in.checkCredentials(p)
	if strings.Contains(p.Container, "/") {
		in.Add("container", `must not contain "/"; a folder in the container is given by rootdirectory`)
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// Check says what is wrong with the options. It sends no requests.
func Check(raw map[string]any) error {
	_, err := parseParameters(raw)
	return err
}

// input collects what is wrong with the options.
type input struct{ *options.Problems }

func (in input) checkAuthURL(p *Options) {
	if p.AuthURL == "" {
		return
	}
	u, err := url.Parse(p.AuthURL)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		in.Add("authurl", "must be a http or https URL")
	case u.User != nil:
		// It would end up in error messages.
		in.Add("authurl", "must not contain credentials; give username and password")
	case p.AuthVersion == 0:
		if p.AuthVersion = versionOf(u.Path); p.AuthVersion == 0 {
			in.Add("authversion", "must be given (1, 2 or 3), as authurl doesn't tell it by ending in /v1.0, /v2.0 or /v3")
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

func (in input) checkCredentials(p *Options) {
	if p.ApplicationCredentialID == "" && p.ApplicationCredentialName == "" && p.ApplicationCredentialSecret == "" {
		if p.Username == "" {
			in.Add("username", "is required")
		}
		if p.Password == "" {
			in.Add("password", "is required")
		}
		return
	}
	if p.AuthVersion != 0 && p.AuthVersion != 3 {
		in.Add("authversion", "must be 3 for application credentials")
	}
	if p.Password != "" {
		in.Add("password", "can't be given together with an application credential")
	}
	if p.ApplicationCredentialSecret == "" {
		in.Add("applicationcredentialsecret", "is required")
	}
	switch {
	case p.ApplicationCredentialID != "" && p.ApplicationCredentialName != "":
		in.Add("applicationcredentialname", "can't be given together with applicationcredentialid")
	case p.ApplicationCredentialID == "" && p.ApplicationCredentialName == "":
		in.Add("applicationcredentialid", "or applicationcredentialname is required")
	case p.ApplicationCredentialName != "" && (p.Username == "" || (p.Domain == "" && p.DomainID == "")):
		in.Add("applicationcredentialname", "needs username and domain (or domainid), whose name space it is in")
	}
}
