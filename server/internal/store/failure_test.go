package store

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/service/s3"
	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	ncw "github.com/ncw/swift/v2"
	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"
)

var stores = map[string]configuration.Parameters{
	"s3":         {"bucket": "images", "region": "eu-west-1", "secretkey": "very-secret"},
	"azure":      {"container": "images", "accountname": "acct", "accountkey": "very-secret"},
	"gcs":        {"bucket": "images"},
	"swift":      {"container": "images", "authurl": "https://keystone/v3", "password": "very-secret"},
	"oss":        {"bucket": "images", "region": "oss-cn-hangzhou"},
	"filesystem": {"rootdirectory": "/data"},
}

func storeOf(driver string) *Store {
	return Of(&configuration.Configuration{Storage: configuration.Storage{driver: stores[driver]}})
}

// fromEngine wraps an error as the engine's base driver does.
func fromEngine(name string, err error) error {
	return storagedriver.Error{DriverName: name, Detail: err}
}

func s3Error(code, message string, status int) error {
	return fromEngine("s3aws", awserr.NewRequestFailure(awserr.New(code, message, nil), status, "17A1B2"))
}

func azureError(code bloberror.Code, status int) error {
	request := httptest.NewRequest(http.MethodPut, "https://acct.blob.core.windows.net/images/x?sig=abc", nil)
	recorder := httptest.NewRecorder()
	recorder.Header().Set("x-ms-error-code", string(code))
	recorder.WriteHeader(status)
	fmt.Fprint(recorder, "<Error><Message>a long explanation</Message></Error>")
	response := recorder.Result()
	response.Request = request
	return runtime.NewResponseError(response)
}

func unreachable(err error) error { return asking("?list-type=2", err) }

// asking is the error of a failed request.
func asking(what string, err error) error {
	return &url.Error{Op: "Get", URL: "https://host/images" + what, Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
}

func TestFailure(t *testing.T) {
	refused := os.NewSyscallError("connect", syscall.ECONNREFUSED)
	for name, test := range map[string]struct {
		driver string
		action Action
		err    error
		fault  Fault
		want   string
	}{
		"s3 bucket": {
			"s3", List, s3Error(s3.ErrCodeNoSuchBucket, "The specified bucket does not exist", 404), Missing,
			`cannot list s3 bucket "images" in region eu-west-1: it does not exist; create it or correct storage.s3.bucket (NoSuchBucket: The specified bucket does not exist)`,
		},
		"a page before s3": {
			"s3", List, fromEngine("s3aws", awserr.New("RequestError", `no answer of S3 to ListObjectsV2: 200 OK of type "text/html"`, nil)), Foreign,
			`cannot list s3 bucket "images" in region eu-west-1: something other than the store answers there; check its address, and what is between (RequestError: no answer of S3 to ListObjectsV2: 200 OK of type "text/html")`,
		},
		"s3 that does not know of copies in parts": {
			"s3", Copy, fromEngine("s3aws", awserr.New("RequestError", `no answer of S3 to UploadPartCopy: 200 OK of type ""`, nil)), Foreign,
			`cannot copy in parts in s3 bucket "images" in region eu-west-1: layers of more than storage.s3.multipartcopythresholdsize are copied so; allow that, or set it to 5368709120, which copies smaller ones at once (RequestError: no answer of S3 to UploadPartCopy: 200 OK of type "")`,
		},
		"s3 key": {
			"s3", List, s3Error("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403), Refused,
			`cannot list s3 bucket "images" in region eu-west-1: the credentials were refused; check storage.s3.accesskey and secretkey (InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.)`,
		},
		"s3 secret": {
			"s3", List, s3Error("SignatureDoesNotMatch", "Check your key", 403), Refused,
			`cannot list s3 bucket "images" in region eu-west-1: the credentials were refused; check storage.s3.accesskey and secretkey (SignatureDoesNotMatch: Check your key)`,
		},
		"s3 may not list": {
			"s3", List, s3Error("AccessDenied", "Access Denied", 403), Denied,
			`cannot list s3 bucket "images" in region eu-west-1: the credentials may not do that; allow them s3:ListBucket (AccessDenied: Access Denied)`,
		},
		"s3 may not write": {
			"s3", Write, s3Error("AccessDenied", "Access Denied", 403), Denied,
			`cannot write to s3 bucket "images" in region eu-west-1: it may be read but not written; allow the credentials s3:PutObject (AccessDenied: Access Denied)`,
		},
		"s3 may not delete": {
			"s3", Delete, storagedriver.Errors{DriverName: "s3aws", Errs: []error{errors.New((&s3.Error{Code: aws.String("AccessDenied"), Key: aws.String("x")}).String())}}, Denied,
			`cannot delete from s3 bucket "images" in region eu-west-1: it may be written, but nothing may be deleted; allow the credentials s3:DeleteObject ({ Code: "AccessDenied", Key: "x" })`,
		},
		"s3 may not delete what it moved": {
			"s3", Upload, storagedriver.Errors{DriverName: "s3aws", Errs: []error{errors.New((&s3.Error{Code: aws.String("AccessDenied"), Key: aws.String("x")}).String())}}, Denied,
			`cannot delete from s3 bucket "images" in region eu-west-1: it may be written, but nothing may be deleted; allow the credentials s3:DeleteObject ({ Code: "AccessDenied", Key: "x" })`,
		},
		"s3 other region": {
			"s3", List, s3Error("AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong; expecting 'eu-west-1'", 400), Elsewhere,
			`cannot list s3 bucket "images" in region eu-west-1: it is in another region; correct storage.s3.region (AuthorizationHeaderMalformed: the region 'us-east-1' is wrong; expecting 'eu-west-1')`,
		},
		"s3 no answer": {
			"s3", List, fromEngine("s3aws", awserr.New("RequestError", "send request failed", unreachable(refused))), Unreachable,
			`cannot list s3 bucket "images" in region eu-west-1: it cannot be reached; check its address and that it runs (dial tcp: connect: connection refused)`,
		},
		"s3 no such host": {
			"s3", List, fromEngine("s3aws", awserr.New("RequestError", "send request failed", unreachable(&net.DNSError{Err: "no such host", Name: "absent.example", IsNotFound: true}))), Unreachable,
			`cannot list s3 bucket "images" in region eu-west-1: it cannot be reached; check its address and that it runs (dial tcp: lookup absent.example: no such host)`,
		},
		"s3 wrong authority": {
			"s3", List, fromEngine("s3aws", awserr.New("RequestError", "send request failed", unreachable(x509.UnknownAuthorityError{}))), Untrusted,
			`cannot list s3 bucket "images" in region eu-west-1: its certificate is not trusted; give the server the certificate of the authority that signed it (dial tcp: x509: certificate signed by unknown authority)`,
		},
		"s3 no key": {
			"s3", List, fromEngine("s3aws", awserr.New("NoCredentialProviders", "no valid providers in chain", nil)), NoCredentials,
			`cannot list s3 bucket "images" in region eu-west-1: no credentials were found; give storage.s3.accesskey and secretkey, or run where the cloud gives an identity (NoCredentialProviders: no valid providers in chain)`,
		},
		"s3 clock": {
			"s3", List, s3Error("RequestTimeTooSkewed", "too large", 403), Clock,
			`cannot list s3 bucket "images" in region eu-west-1: the clock of this machine differs too much from the store's; set it (RequestTimeTooSkewed: too large)`,
		},
		"s3 something new": {
			"s3", List, s3Error("NeverHeardOf", "that", 400), Unknown,
			`cannot list s3 bucket "images" in region eu-west-1: NeverHeardOf: that`,
		},
		"s3 slow down": {
			"s3", Read, s3Error("SlowDown", "Please reduce your request rate.", 503), Busy,
			`cannot read from s3 bucket "images" in region eu-west-1: it is overloaded or out of order; try again later (SlowDown: Please reduce your request rate.)`,
		},
		"s3 archived": {
			"s3", Read, s3Error("InvalidObjectState", "The operation is not valid for the object's storage class", 403), Archived,
			`cannot read from s3 bucket "images" in region eu-west-1: it was archived; restore it, and take away the rule that archives (InvalidObjectState: The operation is not valid for the object's storage class)`,
		},
		"s3 key of KMS": {
			"s3", Read, s3Error("KMS.DisabledException", "arn:aws:kms:x is disabled.", 400), NoKey,
			`cannot read from s3 bucket "images" in region eu-west-1: the key that it is encrypted with cannot be used; enable or restore the key (KMS.DisabledException: arn:aws:kms:x is disabled.)`,
		},
		"s3 key of KMS that is being deleted": {
			"s3", Write, s3Error("KMS.KMSInvalidStateException", "arn:aws:kms:x is pending deletion.", 400), NoKey,
			`cannot write to s3 bucket "images" in region eu-west-1: the key that it is encrypted with cannot be used; enable or restore the key (KMS.KMSInvalidStateException: arn:aws:kms:x is pending deletion.)`,
		},
		"s3 conflict": {
			"s3", Write, s3Error("OperationAborted", "A conflicting conditional operation is currently in progress", 409), Busy,
			`cannot write to s3 bucket "images" in region eu-west-1: it is overloaded or out of order; try again later (OperationAborted: A conflicting conditional operation is currently in progress)`,
		},
		"a conflict of another S3": {
			"s3", Upload, s3Error("ExistingObjectIsDirectory", "Existing Object is a directory.", 409), Busy,
			`cannot upload to s3 bucket "images" in region eu-west-1: it is overloaded or out of order; try again later (ExistingObjectIsDirectory: Existing Object is a directory.)`,
		},
		"minio quota": {
			"s3", Upload, s3Error("XMinioAdminBucketQuotaExceeded", "Bucket quota exceeded", 400), Full,
			`cannot upload to s3 bucket "images" in region eu-west-1: it is full; make space or raise its quota (XMinioAdminBucketQuotaExceeded: Bucket quota exceeded)`,
		},
		"azure archived": {
			"azure", Read, fromEngine("azure", azureError(bloberror.BlobArchived, 409)), Archived,
			`cannot read from azure container "images" at https://acct.blob.core.windows.net: it was archived; restore it, and take away the rule that archives (BlobArchived, HTTP 409)`,
		},
		"azure policy": {
			"azure", Delete, fromEngine("azure", azureError(bloberror.BlobImmutableDueToPolicy, 409)), Held,
			`cannot delete from azure container "images" at https://acct.blob.core.windows.net: a policy or a lease keeps it as it is; take that away (BlobImmutableDueToPolicy, HTTP 409)`,
		},
		"azure snapshots": {
			"azure", Delete, fromEngine("azure", azureError(bloberror.SnapshotsPresent, 409)), Held,
			`cannot delete from azure container "images" at https://acct.blob.core.windows.net: a policy or a lease keeps it as it is; take that away (SnapshotsPresent, HTTP 409)`,
		},
		"azure lease": {
			"azure", Write, fromEngine("azure", azureError(bloberror.LeaseIDMissing, 412)), Held,
			`cannot write to azure container "images" at https://acct.blob.core.windows.net: a policy or a lease keeps it as it is; take that away (LeaseIdMissing, HTTP 412)`,
		},
		"gcs policy": {
			"gcs", Delete, fromEngine("gcs", &googleapi.Error{Code: 403, Message: "subject to a retention policy", Errors: []googleapi.ErrorItem{{Reason: "retentionPolicyNotMet", Message: "subject to a retention policy"}}}), Held,
			`cannot delete from gcs bucket "images": a policy or a lease keeps it as it is; take that away (googleapi: Error 403: subject to a retention policy, retentionPolicyNotMet)`,
		},
		"azure key": {
			"azure", List, fromEngine("azure", azureError(bloberror.AuthenticationFailed, 403)), Refused,
			`cannot list azure container "images" at https://acct.blob.core.windows.net: the credentials were refused; check storage.azure.accountname, accountkey and credentials (AuthenticationFailed, HTTP 403)`,
		},
		"azure network rules": {
			"azure", List, fromEngine("azure", azureError(bloberror.AuthorizationFailure, 403)), RefusedOrBlocked,
			`cannot list azure container "images" at https://acct.blob.core.windows.net: the credentials were refused, or the network rules keep this machine out; check storage.azure.accountname, accountkey and credentials (AuthorizationFailure, HTTP 403)`,
		},
		"azure container": {
			"azure", List, fromEngine("azure", azureError(bloberror.ContainerNotFound, 404)), Missing,
			`cannot list azure container "images" at https://acct.blob.core.windows.net: it does not exist; create it or correct storage.azure.container (ContainerNotFound, HTTP 404)`,
		},
		"azure may not write": {
			"azure", Write, fromEngine("azure", fmt.Errorf("failed to create append blob: %v", azureError(bloberror.AuthorizationPermissionMismatch, 403))), Denied,
			`cannot write to azure container "images" at https://acct.blob.core.windows.net: it may be read but not written; allow the credentials the role Storage Blob Data Contributor (AuthorizationPermissionMismatch, HTTP 403)`,
		},
		"gcs bucket": {
			"gcs", List, fromEngine("gcs", storage.ErrBucketNotExist), Missing,
			`cannot list gcs bucket "images": it does not exist; create it or correct storage.gcs.bucket (storage: bucket doesn't exist)`,
		},
		"gcs 401": {
			"gcs", List, fromEngine("gcs", &googleapi.Error{Code: 401, Message: "Invalid Credentials"}), Refused,
			`cannot list gcs bucket "images": the credentials were refused; check storage.gcs.keyfile or credentials (googleapi: Error 401: Invalid Credentials)`,
		},
		"gcs damaged": {
			"gcs", Read, fromEngine("gcs", errors.New("storage: bad CRC on read: got 1, want 2")), Garbled,
			`cannot read from gcs bucket "images": something other than the store answered, or the file is damaged; check what is between, or push or delete it anew (storage: bad CRC on read: got 1, want 2)`,
		},
		"gcs page": {
			"gcs", Read, fromEngine("gcs", &url.Error{Op: "Get", URL: "https://storage.googleapis.com/x", Err: errors.New(`no answer of Google Cloud Storage: 404 Not Found of type "text/html"`)}), Foreign,
			`cannot read from gcs bucket "images": something other than the store answers there; check its address, and what is between (no answer of Google Cloud Storage: 404 Not Found of type "text/html")`,
		},
		"gcs 403": {
			"gcs", Upload, fromEngine("gcs", &googleapi.Error{Code: 403, Body: "no"}), Denied,
			`cannot upload to gcs bucket "images": it may be read but not written; allow the credentials the role roles/storage.objectUser on the bucket (googleapi: got HTTP response code 403 with body: no)`,
		},
		"gcs 404": {
			"gcs", Write, fromEngine("gcs", &googleapi.Error{Code: 404, Message: "The specified bucket does not exist."}), Missing,
			`cannot write to gcs bucket "images": it does not exist; create it or correct storage.gcs.bucket (googleapi: Error 404: The specified bucket does not exist.)`,
		},
		"gcs key": {
			"gcs", List, fromEngine("gcs", &url.Error{Op: "Get", URL: "https://storage.googleapis.com/x", Err: &oauth2.RetrieveError{ErrorCode: "invalid_grant", ErrorDescription: "Invalid JWT Signature."}}), Refused,
			`cannot list gcs bucket "images": the credentials were refused; check storage.gcs.keyfile or credentials (oauth2: "invalid_grant" "Invalid JWT Signature.")`,
		},
		"gcs token page": {
			"gcs", List, fromEngine("gcs", &url.Error{Op: "Get", URL: "https://storage.googleapis.com/x", Err: errors.New("auth: cannot fetch token: 403\nResponse: <html>back soon</html>")}), Foreign,
			`cannot list gcs bucket "images": something other than the store answers there; check its address, and what is between (auth: cannot fetch token: 403 Response: <html>back soon</html>)`,
		},
		"gcs tokens away": {
			"gcs", List, fromEngine("gcs", &url.Error{Op: "Get", URL: "https://storage.googleapis.com/x", Err: errors.New("auth: cannot fetch token: 503\nResponse: ")}), Busy,
			`cannot list gcs bucket "images": it is overloaded or out of order; try again later (auth: cannot fetch token: 503 Response:)`,
		},
		"gcs stream": {
			"gcs", List, fromEngine("gcs", &url.Error{Op: "Get", URL: "https://storage.googleapis.com/x", Err: errors.New("stream error: stream ID 3; INTERNAL_ERROR; received from peer")}), Unreachable,
			`cannot list gcs bucket "images": it cannot be reached; check its address and that it runs (stream error: stream ID 3; INTERNAL_ERROR; received from peer)`,
		},
		"gcs gave up": {
			"gcs", List, fromEngine("gcs", fmt.Errorf("retry failed with %w; last error: %w", context.DeadlineExceeded, unreachable(refused))), Unreachable,
			`cannot list gcs bucket "images": it cannot be reached; check its address and that it runs (dial tcp: connect: connection refused)`,
		},
		"gcs no key": {
			"gcs", Open, errors.New("credentials: could not find default credentials. See https://x"), NoCredentials,
			`cannot open gcs bucket "images": no credentials were found; give storage.gcs.keyfile or credentials, or run where the cloud gives an identity (credentials: could not find default credentials. See https://x)`,
		},
		"gcs no key file": {
			"gcs", Open, &fs.PathError{Op: "open", Path: "/key.json", Err: syscall.ENOENT}, Unknown,
			`cannot open gcs bucket "images": open /key.json: no such file or directory`,
		},
		"swift container": {
			"swift", Open, errors.New(`swift: container "images" does not exist in this account; create it first`), Missing,
			`cannot open swift container "images" at https://keystone/v3: it does not exist; create it or correct storage.swift.container (container "images" does not exist in this account; create it first)`,
		},
		"swift password": {
			"swift", Open, errors.New("swift: https://keystone/v3 refused the credentials"), Refused,
			`cannot open swift container "images" at https://keystone/v3: the credentials were refused; check storage.swift.username and password (https://keystone/v3 refused the credentials)`,
		},
		"swift signing in": {
			"swift", Read, fromEngine("swift", fmt.Errorf("signing in: %w", ncw.AuthorizationFailed)), Refused,
			`cannot read from swift container "images" at https://keystone/v3: the credentials were refused; check storage.swift.username and password (signing in: Authorization Failed)`,
		},
		// Ceph gives the code AccessDenied with a refused sign-in as well.
		"swift signing in forbidden": {
			"swift", Read, fromEngine("swift", fmt.Errorf(`signing in: %w: {"Code":"AccessDenied"}`, ncw.Forbidden)), Refused,
			`cannot read from swift container "images" at https://keystone/v3: the credentials were refused; check storage.swift.username and password (signing in: Operation forbidden: {"Code":"AccessDenied"})`,
		},
		"swift 401": {
			"swift", Write, fromEngine("swift", errors.New("PUT images/o: HTTP Error: 401: 401 Unauthorized: Unauthorized (tx1)")), Refused,
			`cannot write to swift container "images" at https://keystone/v3: the credentials were refused; check storage.swift.username and password (PUT images/o: HTTP Error: 401: 401 Unauthorized: Unauthorized (tx1))`,
		},
		"swift 401 in the client's words": {
			"swift", Write, fmt.Errorf("PUT images/o: %w (tx1)", ncw.AuthorizationFailed), Refused,
			`cannot write to swift container "images" at https://keystone/v3: the credentials were refused; check storage.swift.username and password (PUT images/o: Authorization Failed (tx1))`,
		},
		"swift 403": {
			"swift", Write, fromEngine("swift", errors.New("PUT images/o: HTTP Error: 403: 403 Forbidden: Forbidden Access was denied to this resource. (tx1)")), Denied,
			`cannot write to swift container "images" at https://keystone/v3: it may be read but not written; allow the credentials to do so (PUT images/o: HTTP Error: 403: 403 Forbidden: Forbidden Access was denied to this resource. (tx1))`,
		},
		"swift 403 in the client's words": {
			"swift", Write, fmt.Errorf("PUT images/o: %w (tx1)", ncw.Forbidden), Denied,
			`cannot write to swift container "images" at https://keystone/v3: it may be read but not written; allow the credentials to do so (PUT images/o: Operation forbidden (tx1))`,
		},
		"swift quota": {
			"swift", Upload, fromEngine("swift", errors.New("PUT images/o: HTTP Error: 413: 413 Request Entity Too Large: Upload exceeds quota. (tx1)")), Full,
			`cannot upload to swift container "images" at https://keystone/v3: it is full; make space or raise its quota (PUT images/o: HTTP Error: 413: 413 Request Entity Too Large: Upload exceeds quota. (tx1))`,
		},
		"swift quota of which the client lost the words": {
			"swift", Upload, errors.New("PUT images/o: HTTP Error: 413: 413 Request Entity Too Large (tx1)"), Full,
			`cannot upload to swift container "images" at https://keystone/v3: it is full; make space or raise its quota (PUT images/o: HTTP Error: 413: 413 Request Entity Too Large (tx1))`,
		},
		"swift quota in the client's words": {
			"swift", Upload, fmt.Errorf("PUT images/o: %w: Upload exceeds quota.", ncw.TooLargeObject), Full,
			`cannot upload to swift container "images" at https://keystone/v3: it is full; make space or raise its quota (PUT images/o: Too Large Object: Upload exceeds quota.)`,
		},
		"swift quota of a policy": {
			"swift", Upload, errors.New("PUT images/o: HTTP Error: 413: 413 Request Entity Too Large: Upload exceeds policy quota. (tx1)"), Full,
			`cannot upload to swift container "images" at https://keystone/v3: it is full; make space or raise its quota (PUT images/o: HTTP Error: 413: 413 Request Entity Too Large: Upload exceeds policy quota. (tx1))`,
		},
		"swift object too large": {
			"swift", Upload, errors.New("PUT images/o: HTTP Error: 413: 413 Request Entity Too Large: Your request is too large. (tx1)"), Unknown,
			`cannot upload to swift container "images" at https://keystone/v3: PUT images/o: HTTP Error: 413: 413 Request Entity Too Large: Your request is too large. (tx1)`,
		},
		"swift container deleted": {
			"swift", List, fromEngine("swift", errors.New(`container "images" does not exist any more`)), Missing,
			`cannot list swift container "images" at https://keystone/v3: it does not exist; create it or correct storage.swift.container (container "images" does not exist any more)`,
		},
		"swift container deleted before a write": {
			"swift", Write, fromEngine("swift", errors.New("PUT images/o: HTTP Error: 404: 404 Not Found: Not Found The resource could not be found. (tx1)")), Missing,
			`cannot write to swift container "images" at https://keystone/v3: it does not exist; create it or correct storage.swift.container (PUT images/o: HTTP Error: 404: 404 Not Found: Not Found The resource could not be found. (tx1))`,
		},
		"swift copy of what is gone": {
			"swift", Write, errors.New("COPY images/o: HTTP Error: 404: 404 Not Found (tx1)"), Unknown,
			`cannot write to swift container "images" at https://keystone/v3: COPY images/o: HTTP Error: 404: 404 Not Found (tx1)`,
		},
		"words of swift from another driver": {
			"gcs", Write, errors.New("HTTP Error: 403: Operation forbidden, Authorization Failed, does not exist any more"), Unknown,
			`cannot write to gcs bucket "images": HTTP Error: 403: Operation forbidden, Authorization Failed, does not exist any more`,
		},
		"oss bucket": {
			"oss", Open, errors.New(`oss: bucket "images" does not exist at x: NoSuchBucket: The specified bucket does not exist. (HTTP 404, request 1)`), Missing,
			`cannot open oss bucket "images" in region oss-cn-hangzhou: it does not exist; create it or correct storage.oss.bucket (bucket "images" does not exist at x: NoSuchBucket: The specified bucket does not exist. (HTTP 404, request 1))`,
		},
		"oss without a code": {
			"oss", Read, fromEngine("oss", errors.New("GetObject x: BadErrorResponse: Failed to parse xml from response body due to: EOF. With part response body . (HTTP 403, request 1)")), RefusedOrBlocked,
			`cannot read from oss bucket "images" in region oss-cn-hangzhou: the credentials were refused, or the network rules keep this machine out; check storage.oss.accesskeyid and accesskeysecret (GetObject x: BadErrorResponse: Failed to parse xml from response body due to: EOF. With part response body . (HTTP 403, request 1))`,
		},
		"oss behind something that takes less": {
			"oss", Upload, fromEngine("oss", errors.New("UploadPart x: BadErrorResponse: Failed to parse xml from response body due to: EOF. With part response body . (HTTP 413, request 1)")), Foreign,
			`cannot upload to oss bucket "images" in region oss-cn-hangzhou: something other than the store answers there; check its address, and what is between (UploadPart x: BadErrorResponse: Failed to parse xml from response body due to: EOF. With part response body . (HTTP 413, request 1))`,
		},
		"folder not ours": {
			"filesystem", Write, fromEngine("filesystem", &fs.PathError{Op: "mkdir", Path: "/data/x", Err: syscall.EACCES}), Denied,
			`cannot write to filesystem folder "/data": it may not be written; give it to the server's user (mkdir /data/x: permission denied)`,
		},
		"folder not readable": {
			"filesystem", List, fromEngine("filesystem", &fs.PathError{Op: "open", Path: "/data/x", Err: syscall.EACCES}), Denied,
			`cannot list filesystem folder "/data": it may not be read; give it to the server's user (open /data/x: permission denied)`,
		},
		"folder full": {
			"filesystem", Upload, fromEngine("filesystem", &fs.PathError{Op: "write", Path: "/data/x", Err: syscall.ENOSPC}), Full,
			`cannot upload to filesystem folder "/data": it is full; make space or raise its quota (write /data/x: no space left on device)`,
		},
		"folder and no file left to open": {
			"filesystem", Read, fromEngine("filesystem", &fs.PathError{Op: "open", Path: "/data/x", Err: syscall.EMFILE}), Busy,
			`cannot read from filesystem folder "/data": it is overloaded or out of order; try again later (open /data/x: too many open files)`,
		},
		"folder mounted for reading": {
			"filesystem", Write, fromEngine("filesystem", &fs.PathError{Op: "mkdir", Path: "/data/x", Err: syscall.EROFS}), Unwritable,
			`cannot write to filesystem folder "/data": it is read-only; mount it for writing (mkdir /data/x: read-only file system)`,
		},
		"folder missing": {
			"filesystem", List, errors.New("no such file or directory"), Missing,
			`cannot list filesystem folder "/data": it does not exist; create it or correct storage.filesystem.rootdirectory (no such file or directory)`,
		},
		"secret in a text": {
			"s3", Open, errors.New("the option very-secret is odd\n\tand so is that"), Unknown,
			`cannot open s3 bucket "images" in region eu-west-1: the option … is odd and so is that`,
		},
		"long text": {
			"gcs", Open, errors.New(strings.Repeat("ä", 300)), Unknown,
			`cannot open gcs bucket "images": ` + strings.Repeat("ä", longestText) + "…",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := storeOf(test.driver).Failure(test.action, test.err)
			if got.Error() != test.want || got.Fault != test.fault {
				t.Errorf("got fault %d\n%s\nwant fault %d\n%s", got.Fault, got, test.fault, test.want)
			}
			if below := errors.Unwrap(got); below == nil || below.Error() != test.err.Error() {
				t.Error("the driver's error is not below it")
			}
		})
	}
}

func TestLimits(t *testing.T) {
	for err, want := range map[error]bool{
		&fs.PathError{Op: "write", Path: "/data/x", Err: syscall.ENOSPC}: true,
		&fs.PathError{Op: "mkdir", Path: "/data/x", Err: syscall.EROFS}:  true,
		&fs.PathError{Op: "mkdir", Path: "/data/x", Err: syscall.EACCES}: true,
		&fs.PathError{Op: "open", Path: "/data/x", Err: syscall.ENOENT}:  false,
		&fs.PathError{Op: "open", Path: "/data/x", Err: syscall.ESTALE}:  false,
		errors.New("something else"):                                     false,
	} {
		if got := storeOf("filesystem").Limits(err); got != want {
			t.Errorf("%t for %v", got, err)
		}
	}
}

func TestAway(t *testing.T) {
	refused := unreachable(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	reset := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	// Clients choose parts of the paths that are in the text of errors.
	const tag, upload = "/docker/registry/v2/repositories/app/_manifests/tags/1-NoSuchBucket", "/docker/registry/v2/repositories/app/_uploads/SlowDown-1"
	ossError := func(code string, status int) error {
		return fmt.Errorf("GetObject x: %s: no (HTTP %d, request 1)", code, status)
	}
	swiftError := func(text string) error { return fmt.Errorf("GET x: %s (tx1)", text) }
	for driver, tests := range map[string]map[error]bool{
		"s3": {
			awserr.New("RequestError", "send request failed", refused):                                                           true,
			awserr.New("RequestError", "send request failed", reset):                                                             true,
			asking(tag+"/current/link", refused):                                                                                 true,
			asking("?prefix="+url.QueryEscape(tag[1:]), refused):                                                                 true,
			s3Error("SlowDown", "Please reduce your request rate.", 503):                                                         true,
			s3Error("ServiceUnavailable", "", 503):                                                                               true,
			s3Error("InternalError", "We encountered an error", 500):                                                             true,
			s3Error("RequestTimeout", "Your socket connection", 400):                                                             true,
			s3Error("RequestEntityTooLarge", "Request Entity Too Large", 413):                                                    true,
			s3Error("ExpiredToken", "The token has expired", 400):                                                                true,
			s3Error("AccessDenied", "Access Denied", 403):                                                                        false,
			s3Error("NoSuchUpload", "no such upload", 404):                                                                       false,
			s3Error("NoSuchBucket", "no such bucket", 404):                                                                       true,
			s3Error("NotFound", "Not Found", 404):                                                                                true,
			s3Error("Forbidden", "Forbidden", 403):                                                                               true,
			awserr.New("RequestError", "no answer of S3 to GetObject: 200 OK of type \"text/html\"", nil):                        true,
			s3Error("SerializationError", "failed to unmarshal error message\ncaused by: expected <Error> but have <html>", 404): true,
			s3Error("ExistingObjectIsDirectory", "Existing Object is a directory.", 409):                                         true,
			s3Error("InvalidPart", "no such part", 400):                                                                          false,
			s3Error("NotImplemented", "no", 501):                                                                                 false,
		},
		"azure": {
			refused:                               true,
			azureError(bloberror.ServerBusy, 503): true,
			azureError(bloberror.ContainerBeingDeleted, 409):                                         true,
			azureError(bloberror.AccountBeingCreated, 409):                                           true,
			azureError(bloberror.BlobBeingRehydrated, 409):                                           false,
			azureError("", 503):                                                                      true,
			azureError(bloberror.InternalError, 500):                                                 true,
			azureError(bloberror.OperationTimedOut, 500):                                             true,
			fmt.Errorf("x: %v", azureError("ServerBusy", 503)):                                       true,
			azureError(bloberror.AppendPositionConditionNotMet, 412):                                 true,
			azureError(bloberror.ConditionNotMet, 412):                                               true,
			azureError(bloberror.CannotVerifyCopySource, 403):                                        true,
			azureError("CopyFailed", 503):                                                            true,
			errors.New("max retries for copy polling reached, aborting copy"):                        true,
			errors.New("failed to move blob: 404 BlobNotFound \"Copy failed\""):                      true,
			errors.New("max number of retries (5) reached while handling backend operation timeout"): true,
			azureError(bloberror.BlobNotFound, 404):                                                  false,
		},
		"gcs": {
			refused: true,
			&googleapi.Error{Code: 429, Message: "rate"}:               true,
			&googleapi.Error{Code: 503, Body: "busy"}:                  true,
			&googleapi.Error{Code: 500, Message: "Internal"}:           true,
			&googleapi.Error{Code: 412, Message: "changed"}:            false,
			&googleapi.Error{Code: 404, Body: "no session"}:            false,
			errors.New("the session of an upload has ended: 410 Gone"): true,
			errors.New("readfrom tcp 127.0.0.1:1->127.0.0.1:2: write tcp 127.0.0.1:1->127.0.0.1:2: use of closed network connection"): true,
			storage.ErrBucketNotExist: true,
			storage.ErrObjectNotExist: false,
		},
		"swift": {
			refused:                  true,
			swiftError("Rate Limit"): true,
			fromEngine("swift", errors.New("DELETE images/o: HTTP Error: 409: 409 Conflict: Conflict (tx1)")): true,
			fromEngine("swift", errors.New("GET images/o: HTTP Error: 409: 409 Conflict: Conflict (tx1)")):    false,
			fromEngine("swift", errors.New("PUT images/o: HTTP Error: 408: 408 Request Timeout: (tx1)")):      true,
			swiftError("HTTP Error: 503: 503 Service Unavailable"):                                            true,
			swiftError("HTTP Error: 429: 429 Too Many Requests"):                                              true,
			swiftError("Timeout when reading or writing data"):                                                true,
			swiftError("HTTP Error: 507: 507 Insufficient Storage"):                                           false,
			swiftError("HTTP Error: 413: 413 Too large"):                                                      false,
			swiftError("HTTP Error: 401: 401 Unauthorized"):                                                   true,
			swiftError("HTTP Error: 403: 403 Forbidden"):                                                      false,
			swiftError("HTTP Error: 404: 404 Not Found"):                                                      false,
			fmt.Errorf("signing in: %w", ncw.AuthorizationFailed):                                             true,
			fmt.Errorf("signing in: %w", ncw.Forbidden):                                                       true,
			fmt.Errorf(`signing in: %w: {"Code":"AccessDenied"}`, ncw.AuthorizationFailed):                    true,
		},
		"oss": {
			refused:                             true,
			ossError("ServiceUnavailable", 503): true,
			ossError("InternalError", 500):      true,
			ossError("RequestTimeout", 400):     true,
			ossError("QpsLimitExceeded", 503):   true,
			ossError("NoSuchKey", 404):          false,
			ossError("AccessDenied", 403):       false,
			// A page of a proxy, and the answer to a HEAD.
			ossError("BadErrorResponse", 400): true,
			ossError("BadErrorResponse", 403): true,
			ossError("BadErrorResponse", 412): true,
			ossError("BadErrorResponse", 413): true,
		},
		"filesystem": {
			&fs.PathError{Op: "open", Path: "/data/x", Err: syscall.ESTALE}:    true,
			&fs.PathError{Op: "open", Path: "/data/x", Err: syscall.ETIMEDOUT}: true,
			&fs.PathError{Op: "open", Path: "/data/x", Err: syscall.EHOSTDOWN}: true,
			&fs.PathError{Op: "open", Path: "/data/x", Err: syscall.ENOENT}:    false,
			&fs.PathError{Op: "open", Path: "/data/x", Err: syscall.ENOTDIR}:   false,
			&fs.PathError{Op: "open", Path: upload, Err: syscall.ENAMETOOLONG}: false,
		},
	} {
		for err, want := range tests {
			for _, err := range []error{err, fromEngine(driver, err)} {
				if got := storeOf(driver).Away(err); got != want {
					t.Errorf("%s: %t for %v", driver, got, err)
				}
			}
		}
	}
}
