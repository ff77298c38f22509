package osstest

import (
	"crypto/hmac"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Credential is one key pair the server accepts. With a SecurityToken it
// stands for temporary credentials, and requests must carry that token.
type Credential struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string
}

const (
	allowedSkew = 15 * time.Minute
	maxExpires  = 7 * 24 * time.Hour
)

// signed is what a request says about its own signature.
type signed struct {
	accessKeyID, date, region string
	timestamp                 string
	additional                []string
	signature                 string
	token                     string
	expires                   time.Duration // presigned only
}

// authenticator checks requests against a set of keys.
type authenticator struct {
	credentials []Credential
	region      string
	now         func() time.Time
}

// check verifies the signature of r, which names bucket and key.
func (a authenticator) check(r *http.Request, bucket, key string) error {
	s, err := parseSigned(r)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(a.credentials, func(c Credential) bool { return c.AccessKeyID == s.accessKeyID })
	if i < 0 {
		return apiError{status: http.StatusForbidden, Code: "InvalidAccessKeyId",
			Message: "The OSS Access Key Id you provided does not exist in our records."}
	}
	credential := a.credentials[i]
	if s.token != credential.SecurityToken {
		return apiError{status: http.StatusForbidden, Code: "InvalidSecurityToken",
			Message: "The security token you provided is invalid."}
	}
	if s.region != a.region {
		return apiError{status: http.StatusBadRequest, Code: "InvalidArgument", EC: "0002-00000226",
			Message: "Invalid signing region in Authorization header."}
	}
	if err := a.checkTime(s); err != nil {
		return err
	}
	canonical, err := canonicalRequest(r, bucket, key, s.additional)
	if err != nil {
		return apiError{status: http.StatusBadRequest, Code: "InvalidArgument", Message: "Malformed query."}
	}
	toSign := stringToSign(s.timestamp, s.date, s.region, canonical)
	want := signature(signingKey(credential.AccessKeySecret, s.date, s.region), toSign)
	if !hmac.Equal([]byte(want), []byte(s.signature)) {
		return apiError{status: http.StatusForbidden, Code: "SignatureDoesNotMatch",
			Message:           "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
			StringToSign:      toSign,
			CanonicalRequest:  canonical,
			SignatureProvided: s.signature,
		}
	}
	return nil
}

// checkTime applies the two time windows of the documents: 15 minutes either
// way for signed headers, and date-15min to date+expires for presigned URLs.
func (a authenticator) checkTime(s signed) error {
	at, err := time.Parse(timeFormat, s.timestamp)
	if err != nil || !strings.HasPrefix(s.timestamp, s.date) {
		return apiError{status: http.StatusForbidden, Code: "AccessDenied",
			Message: "OSS authentication requires a valid x-oss-date."}
	}
	now := a.now()
	if s.expires > 0 {
		if now.After(at.Add(s.expires)) || now.Before(at.Add(-allowedSkew)) {
			return apiError{status: http.StatusForbidden, Code: "AccessDenied", Message: "Request has expired."}
		}
		return nil
	}
	if now.Sub(at).Abs() > allowedSkew {
		return apiError{status: http.StatusForbidden, Code: "RequestTimeTooSkewed",
			Message: "The difference between the request time and the current time is too large."}
	}
	return nil
}

func parseSigned(r *http.Request) (signed, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		return parseHeader(r, header)
	}
	if r.URL.Query().Has("x-oss-signature") {
		return parseQuery(r)
	}
	return signed{}, apiError{status: http.StatusForbidden, Code: "AccessDenied",
		Message: "You have no right to access this object because of bucket acl."}
}

// parseHeader reads "OSS4-HMAC-SHA256 Credential=…, AdditionalHeaders=…, Signature=…".
func parseHeader(r *http.Request, header string) (signed, error) {
	malformed := apiError{status: http.StatusBadRequest, Code: "InvalidArgument", Message: "Authorization header is invalid."}
	scheme, fields, ok := strings.Cut(header, " ")
	if !ok || scheme != algorithm {
		return signed{}, malformed
	}
	s := signed{timestamp: r.Header.Get("x-oss-date"), token: r.Header.Get("x-oss-security-token")}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			if !s.setCredential(value) {
				return signed{}, malformed
			}
		case "AdditionalHeaders":
			if !s.setAdditional(value) {
				return signed{}, malformed
			}
		case "Signature":
			s.signature = value
		default:
			return signed{}, malformed
		}
	}
	if s.accessKeyID == "" || s.signature == "" {
		return signed{}, malformed
	}
	if r.Header.Get("x-oss-content-sha256") != unsignedPayload {
		return signed{}, apiError{status: http.StatusBadRequest, Code: "InvalidArgument",
			Message: "x-oss-content-sha256 must be UNSIGNED-PAYLOAD."}
	}
	return s, nil
}

// parseQuery reads the parameters of a presigned URL.
func parseQuery(r *http.Request) (signed, error) {
	malformed := apiError{status: http.StatusBadRequest, Code: "InvalidArgument", Message: "Presigned query is invalid."}
	q := r.URL.Query()
	s := signed{
		timestamp: q.Get("x-oss-date"),
		signature: q.Get("x-oss-signature"),
		token:     q.Get("x-oss-security-token"),
	}
	seconds, err := strconv.Atoi(q.Get("x-oss-expires"))
	s.expires = time.Duration(seconds) * time.Second
	if err != nil || s.expires < time.Second || s.expires > maxExpires ||
		q.Get("x-oss-signature-version") != algorithm ||
		!s.setCredential(q.Get("x-oss-credential")) ||
		!s.setAdditional(q.Get("x-oss-additional-headers")) {
		return signed{}, malformed
	}
	return s, nil
}

func (s *signed) setCredential(value string) bool {
	parts := strings.Split(value, "/")
	if len(parts) != 5 || parts[3] != service || parts[4] != scopeSuffix {
		return false
	}
	s.accessKeyID, s.date, s.region = parts[0], parts[1], parts[2]
	return true
}

// setAdditional takes the ;-separated list, which must be sorted, in lower
// case and free of headers that are signed anyway.
func (s *signed) setAdditional(value string) bool {
	if value == "" {
		return true
	}
	s.additional = strings.Split(value, ";")
	return slices.IsSorted(s.additional) && value == strings.ToLower(value) &&
		!slices.ContainsFunc(s.additional, alwaysSigned)
}
