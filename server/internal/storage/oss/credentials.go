package oss

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
)

// newProvider returns the static key pair, or the RAM role of the instance.
func newProvider(p parameters) credentials.CredentialsProvider {
	if p.AccessKeyID != "" {
		return credentials.NewStaticCredentialsProvider(p.AccessKeyID, p.AccessKeySecret)
	}
	return roleProvider{credentials.NewEcsRoleCredentialsProvider(
		credentials.EcsRamRole(p.RAMRole),
		// The metadata service is a hop away: if it answers, it does so at once.
		func(o *credentials.EcsRoleCredentialsProviderOptions) {
			o.Timeout, o.Retries = 2*time.Second, 2
		},
	)}
}

// roleError says that the instance metadata service gave no credentials. The
// SDK's own errors may quote its answer, with the secret in it, so only network
// trouble is passed on.
type roleError struct{ network error }

func (e roleError) Error() string {
	const message = "no access key is configured and the instance metadata service gave no RAM role credentials"
	if e.network != nil {
		return fmt.Sprintf("%s: %v", message, e.network)
	}
	return message
}

func (e roleError) Unwrap() error { return e.network }

type roleProvider struct {
	credentials.CredentialsProvider
}

func (r roleProvider) GetCredentials(ctx context.Context) (credentials.Credentials, error) {
	c, err := r.CredentialsProvider.GetCredentials(ctx)
	if err == nil {
		return c, nil
	}
	var network net.Error
	if errors.As(err, &network) {
		return credentials.Credentials{}, roleError{network}
	}
	return credentials.Credentials{}, roleError{}
}
