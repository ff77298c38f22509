package server

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/distribution/distribution/v3/configuration"

	"container-registry/server/internal/certificate"
)

var clientAuthModes = map[configuration.ClientAuth]tls.ClientAuthType{
	"": tls.RequireAndVerifyClientCert,
	configuration.ClientAuthRequestClientCert:          tls.RequestClientCert,
	configuration.ClientAuthRequireAnyClientCert:       tls.RequireAnyClientCert,
	configuration.ClientAuthVerifyClientCertIfGiven:    tls.VerifyClientCertIfGiven,
	configuration.ClientAuthRequireAndVerifyClientCert: tls.RequireAndVerifyClientCert,
}

func tlsConfig(config configuration.TLS, certificate *certificate.Reloader) (*tls.Config, error) {
	result := &tls.Config{
		GetCertificate: certificate.GetCertificate,
		MinVersion:     tls.VersionTLS12,
		CipherSuites:   suiteNumbers(config.CipherSuites),
	}
	if config.MinimumTLS == "tls1.3" {
		result.MinVersion = tls.VersionTLS13
	}
	if len(config.ClientCAs) == 0 {
		return result, nil
	}
	result.ClientAuth = clientAuthModes[config.ClientAuth]
	result.ClientCAs = x509.NewCertPool()
	for i, file := range config.ClientCAs {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("http.tls.clientcas[%d]: %w", i, err)
		}
		if !result.ClientCAs.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("http.tls.clientcas[%d]: %q holds no certificate in PEM form", i, file)
		}
	}
	return result, nil
}

func suiteNumbers(names []string) []uint16 {
	var numbers []uint16
	for _, suite := range tls.CipherSuites() {
		for _, name := range names {
			if suite.Name == name {
				numbers = append(numbers, suite.ID)
			}
		}
	}
	return numbers
}
