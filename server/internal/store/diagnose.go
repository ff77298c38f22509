package store

import (
	"regexp"
	"strings"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/traits"
)

// faultsOfCodes has the error codes of S3 and OSS, which share theirs, of Azure and, where the status
// does not tell enough, of Google.
var faultsOfCodes = map[string]Fault{
	"NoSuchBucket":      Missing,
	"ContainerNotFound": Missing,
	"ResourceNotFound":  Missing,

	"NoCredentialProviders": NoCredentials,

	"InvalidAccessKeyId":                 Refused,
	"SignatureDoesNotMatch":              Refused,
	"InvalidToken":                       Refused,
	"ExpiredToken":                       Refused,
	"InvalidSecurityToken":               Refused,
	"SecurityTokenExpired":               Refused,
	"AuthenticationFailed":               Refused,
	"InvalidAuthenticationInfo":          Refused,
	"NoAuthenticationInformation":        Refused,
	"KeyBasedAuthenticationNotPermitted": Refused,

	"AuthorizationFailure": RefusedOrBlocked,

	"AccessDenied":                    Denied,
	"AllAccessDisabled":               Denied,
	"AccountProblem":                  Denied,
	"AuthorizationPermissionMismatch": Denied,
	"AuthorizationSourceIPMismatch":   Denied,
	"InsufficientAccountPermissions":  Denied,
	"AccountIsDisabled":               Denied,

	"InvalidObjectState":  Archived,
	"BlobArchived":        Archived,
	"BlobBeingRehydrated": Archived,

	// S3 begins them with "KMS.".
	"DisabledException":        NoKey,
	"KMSInvalidStateException": NoKey,
	"NotFoundException":        NoKey,

	"BlobImmutableDueToPolicy": Held,
	"LeaseIdMissing":           Held,
	"FileImmutable":            Held,
	"SnapshotsPresent":         Held,
	"retentionPolicyNotMet":    Held,
	"objectUnderActiveHold":    Held,

	"AuthorizationHeaderMalformed":       Elsewhere,
	"PermanentRedirect":                  Elsewhere,
	"TemporaryRedirect":                  Elsewhere,
	"BucketRegionError":                  Elsewhere,
	"IllegalLocationConstraintException": Elsewhere,

	"NoAnswerOfAzure": Foreign,

	"RequestTimeTooSkewed": Clock,

	"SlowDown":                         Busy,
	"Throttling":                       Busy,
	"ThrottlingException":              Busy,
	"RequestLimitExceeded":             Busy,
	"TooManyRequests":                  Busy,
	"ServiceUnavailable":               Busy,
	"InternalError":                    Busy,
	"ServerBusy":                       Busy,
	"OperationTimedOut":                Silent,
	"RequestTimeout":                   Silent,
	"QpsLimitExceeded":                 Busy,
	"DownloadTrafficRateLimitExceeded": Busy,
	"UploadTrafficRateLimitExceeded":   Busy,
	"OperationAborted":                 Busy,
	"AccountBeingCreated":              Busy,
	"ContainerBeingDeleted":            Busy,
	"CopyFailed":                       Busy,
	"CannotVerifyCopySource":           Busy,
	// Another request has written to the object meanwhile.
	"AppendPositionConditionNotMet": Busy,
	"ConditionNotMet":               Busy,

	"QuotaExceeded":                  Full,
	"XMinioStorageFull":              Full,
	"XMinioAdminBucketQuotaExceeded": Full,
}

// faultsOfPhrases are tried in this order.
var faultsOfPhrases = []struct {
	phrase string
	fault  Fault
}{
	{"x509:", Untrusted},
	{"certificate is not trusted", Untrusted},
	{"connection refused", Unreachable},
	{"connection reset", Unreachable},
	{"connection lost", Unreachable},
	{"broken pipe", Unreachable},
	{"http2: client conn", Unreachable},
	{"http2: server sent GOAWAY", Unreachable},
	{"; received from peer", Unreachable},
	{"use of closed network connection", Unreachable},
	{"host is down", Unreachable},
	{"stale NFS file handle", Unreachable},
	{"stale file handle", Unreachable},
	{"no such host", Unreachable},
	{"no route to host", Unreachable},
	{"network is unreachable", Unreachable},
	{"server misbehaving", Unreachable},
	{"server gave HTTP response to HTTPS client", Unreachable},
	{"no space left on device", Full},
	{"disk quota exceeded", Full},
	{"read-only file system", Unwritable},
	{"too many open files", Busy},

	// Google Cloud Storage.
	{"storage: bucket doesn't exist", Missing},
	{"could not find default credentials", NoCredentials},
	{"invalid_grant", Refused},
	{"invalid_client", Refused},
	{"unauthorized_client", Refused},
	{"the session of an upload has ended", Busy},

	// Azure's identities.
	{"DefaultAzureCredential: failed", NoCredentials},
	{"ClientSecretCredential authentication failed", Refused},

	{"max retries for copy polling reached", Busy},
	{"failed to move blob", Busy},
	{"handling backend operation timeout", Silent},

	{"Rate Limit", Busy},

	{"i/o timeout", Silent},
	{"TLS handshake timeout", Silent},
	{"timeout awaiting response headers", Silent},
	{"connection timed out", Silent},
	{"Timeout when reading or writing data", Silent},
	{"Client.Timeout exceeded", Silent},
	{"context deadline exceeded", Silent},
	{"no answer within", Silent},
	{"unexpected EOF", Unreachable},
	// This must come before the next phrase: the error of an S3 answer without content ends in it.
	{"SerializationError: ", Foreign},
	{": EOF", Unreachable},
	{"RequestError: send request failed", Unreachable},

	// Answers that are not the store's, in our words and in those of the drivers and their clients. S3's
	// client takes the status for a code if the answer has none.
	{"no answer of ", Foreign},
	{"auth: cannot fetch token: ", Foreign},
	{"NotFound: Not Found", Foreign},
	{"its driver cannot read the answer", Foreign},
	{"missing required prroperties", Foreign},
	{"missing BlobType", Foreign},
	{"missing ETag", Foreign},
	{"missing ContentLength", Foreign},
	{"missing blob Name", Foreign},
	{"XML syntax error", Foreign},
	{"invalid character", Foreign},
	{"unexpected end of JSON input", Foreign},
	{"ERROR CODE UNAVAILABLE", Foreign},
	{"holds no digest", Garbled},
	{"storage: bad CRC on read", Garbled},
	{"Forbidden: Forbidden", RefusedOrBlocked},
}

// faultsOfSwift are tried in this order, and with Swift alone: they are too plain to mean
// the same everywhere.
var faultsOfSwift = []struct {
	phrase *regexp.Regexp
	fault  Fault
}{
	// When the driver starts.
	{regexp.MustCompile(`does not exist in this account`), Missing},
	{regexp.MustCompile(`refused the credentials`), Refused},
	{regexp.MustCompile(`the credentials are good, but not allowed`), Denied},

	// When the driver is at work. Its client has words of its own for failed sign-ins,
	// and passes on the status of other answers.
	{regexp.MustCompile(`container ".*" does not exist any more`), Missing},
	// A new object can't be missing, so its container is.
	{regexp.MustCompile(`PUT .*?: HTTP Error: 404: `), Missing},
	{regexp.MustCompile(`signing in: Operation forbidden`), Refused},
	{regexp.MustCompile(`: Authorization Failed|: HTTP Error: 401: `), Refused},
	{regexp.MustCompile(`: Operation forbidden|: HTTP Error: 403: `), Denied},
	// A large object has lost a segment.
	{regexp.MustCompile(`(?:GET|HEAD) .*?: HTTP Error: 409: `), Unknown},
	// A quota, unless Swift says that the object itself is too large. The client loses most short
	// answers, so the words about a quota can't be relied on.
	{regexp.MustCompile(`: (?:Too Large Object|HTTP Error: 413): .*request is too large`), Unknown},
	{regexp.MustCompile(`: (?:Too Large Object|HTTP Error: 413: )`), Full},
}

var (
	// registryPath matches paths, whose names clients choose: a tag may be named like an error code.
	registryPath = regexp.MustCompile("(?i)" + strings.ReplaceAll(strings.TrimPrefix(layout.Root, "/"), "/", "(?:/|%2F)") + `[^\s"':]*`)
	word         = regexp.MustCompile(`[A-Za-z]+`)
	// uncoded matches an answer in which the client of OSS finds no code. Of OSS's own answers, only a few, to
	// HEAD, lack one.
	uncoded      = regexp.MustCompile(`(?s)BadErrorResponse: .*\(HTTP (\d+), request`)
	googleStatus = regexp.MustCompile(`googleapi: (?:Error|got HTTP response code) (\d+)`)
	// Each of the drivers' clients words the status in its own way. A conflict is one with another request. A
	// request that is too large is so for a proxy in between: no store is sent more than it takes.
	status = regexp.MustCompile(`(?:status code: |RESPONSE |HTTP |HTTP Error: |googleapi: (?:Error|got HTTP response code) |auth: cannot fetch token: )(408|409|413|429|498|5\d\d)`)
)

// diagnose goes by the text of an error, because there is nothing else: the engine's
// error types do not unwrap, its Azure driver formats causes with %v, and S3 reports
// deletions that failed only in text.
func diagnose(driver string, err error) Fault {
	text := registryPath.ReplaceAllString(err.Error(), "")
	if traits.Of[driver].Folder {
		switch {
		case strings.Contains(text, "permission denied"), strings.Contains(text, "operation not permitted"):
			return Denied
		case strings.Contains(text, "no such file or directory"):
			return Missing
		}
	}
	if driver == "swift" {
		// Before the codes: Ceph gives AccessDenied also when it refuses a sign-in.
		for _, each := range faultsOfSwift {
			if each.phrase.MatchString(text) {
				return each.fault
			}
		}
	}
	for _, each := range word.FindAllString(text, -1) {
		if fault, ok := faultsOfCodes[each]; ok {
			return fault
		}
	}
	if status := googleStatus.FindStringSubmatch(text); status != nil {
		switch status[1] {
		case "401":
			return Refused
		case "403":
			return Denied
		case "404":
			// Google also answers 404 if an upload session is too old to continue.
			if strings.Contains(text, "bucket does not exist") {
				return Missing
			}
		}
	}
	if code := status.FindStringSubmatch(text); code != nil {
		switch code[1] {
		case "501", "505":
			return Unknown
		case "408", "504":
			return Silent
		case "413":
			return Foreign
		case "507":
			return Full
		default:
			return Busy
		}
	}
	if answer := uncoded.FindStringSubmatch(text); answer != nil {
		if answer[1] == "403" {
			return RefusedOrBlocked
		}
		return Foreign
	}
	for _, each := range faultsOfPhrases {
		if strings.Contains(text, each.phrase) {
			return each.fault
		}
	}
	return Unknown
}
