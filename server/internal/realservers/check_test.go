package realservers

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/ncw/swift/v2"
)

var requestNumber = regexp.MustCompile(`request [0-9A-F]{24}\)`)

// try is one call of `registry check` and everything that it prints.
type try struct {
	storage []string
	// options of the check
	options []string
	want    string // on standard output when it is good, else on standard error
	good    bool
}

// expect runs a table of tries. In their wanted output, AT stands for the address of the store.
func expect(t *testing.T, google *server, at string, tries map[string]try) {
	t.Helper()
	for name, try := range tries {
		t.Run(name, func(t *testing.T) {
			got := registry(t, google, config(":5000", try.storage...), append([]string{"check", "-"}, try.options...)...)
			got.stderr = requestNumber.ReplaceAllString(got.stderr, "request NUMBER)")
			compare(t, got, strings.ReplaceAll(try.want, "AT", at), try.good)
		})
	}
}

func compare(t *testing.T, got result, text string, good bool) {
	t.Helper()
	want := result{code: 1, stderr: "registry: " + text + "\n"}
	if good {
		want = result{code: 0, stdout: text + "\n"}
	}
	if got != want {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestCheckS3(t *testing.T) {
	s := startS3(t)
	endpoint, key, secret := s.values["endpoint"], s.values["accesskey"], s.values["secretkey"]
	reader, readerSecret := s.values["readeraccesskey"], s.values["readersecretkey"]
	silent := silentServer(t)
	expect(t, nil, endpoint, map[string]try{
		"good": {
			storage: []string{s3Storage("images", key, secret, endpoint)},
			want:    `s3 bucket "images" at AT can be read and written`, good: true,
		},
		"wrong secret": {
			storage: []string{s3Storage("images", key, "not-the-secret", endpoint)},
			want:    `cannot list s3 bucket "images" at AT: the credentials were refused; check storage.s3.accesskey and secretkey (SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.)`,
		},
		"unknown key": {
			storage: []string{s3Storage("images", "nobody", secret, endpoint)},
			want:    `cannot list s3 bucket "images" at AT: the credentials were refused; check storage.s3.accesskey and secretkey (InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.)`,
		},
		"no key": {
			storage: []string{`s3: {bucket: images, region: us-east-1, regionendpoint: "` + endpoint + `", forcepathstyle: true}`},
			want:    `cannot list s3 bucket "images" at AT: no credentials were found; give storage.s3.accesskey and secretkey, or run where the cloud gives an identity (NoCredentialProviders: no valid providers in chain. Deprecated. For verbose messaging see aws.Config.CredentialsChainVerboseErrors)`,
		},
		"no such bucket": {
			storage: []string{s3Storage("absent", key, secret, endpoint)},
			want:    `cannot list s3 bucket "absent" at AT: it does not exist; create it or correct storage.s3.bucket (NoSuchBucket: The specified bucket does not exist.)`,
		},
		"may only read": {
			storage: []string{s3Storage("images", reader, readerSecret, endpoint)},
			want:    `cannot write to s3 bucket "images" at AT: it may be read but not written; allow the credentials s3:PutObject (AccessDenied: Access Denied.)`,
		},
		"may only read, and need not more": {
			storage: []string{s3Storage("images", reader, readerSecret, endpoint), readOnly},
			want:    `s3 bucket "images" at AT can be read`, good: true,
		},
		"no TLS there": {
			storage: []string{s3Storage("images", key, secret, strings.Replace(endpoint, "http:", "https:", 1))},
			want:    `cannot list s3 bucket "images" at https` + strings.TrimPrefix(endpoint, "http") + `: it cannot be reached; check its address and that it runs (http: server gave HTTP response to HTTPS client)`,
		},
		"silent": {
			storage: []string{s3Storage("images", key, secret, "http://"+silent)},
			options: []string{"--timeout", "2s"},
			want:    `cannot list s3 bucket "images" at http://` + silent + `: it does not answer in time; check its address and that it runs (no answer within 2s)`,
		},
	})
	s.down(t)
	expect(t, nil, endpoint, map[string]try{"server down": {
		storage: []string{s3Storage("images", key, secret, endpoint)},
		want:    `cannot list s3 bucket "images" at AT: it cannot be reached; check its address and that it runs (dial tcp ` + strings.TrimPrefix(endpoint, "http://") + `: connect: connection refused)`,
	}})
	s.up(t)
	expect(t, nil, endpoint, map[string]try{"server up again": {
		storage: []string{s3Storage("images", key, secret, endpoint)},
		want:    `s3 bucket "images" at AT can be read and written`, good: true,
	}})
	if left, err := filepath.Glob(filepath.Join(s.folder, "data", "images", "[^.]*")); err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
}

func TestCheckAzure(t *testing.T) {
	s := startAzure(t)
	url, account, key := s.values["serviceurl"], s.values["accountname"], s.values["accountkey"]
	silent := silentServer(t)
	expect(t, nil, url, map[string]try{
		"good": {
			storage: []string{azureStorage("images", account, key, url)},
			want:    `azure container "images" at AT can be read and written`, good: true,
		},
		"good, only read": {
			storage: []string{azureStorage("images", account, key, url), readOnly},
			want:    `azure container "images" at AT can be read`, good: true,
		},
		"wrong key": {
			storage: []string{azureStorage("images", account, base64.StdEncoding.EncodeToString([]byte("not the key")), url)},
			want:    `cannot list azure container "images" at AT: the credentials were refused, or the network rules keep this machine out; check storage.azure.accountname, accountkey and credentials (AuthorizationFailure, HTTP 403)`,
		},
		"no key at all": {
			storage: []string{azureStorage("images", account, "no base64", url)},
			want:    `cannot open azure container "images" at AT: shared key credentials: decode account key: illegal base64 data at input byte 2`,
		},
		"no such container": {
			storage: []string{azureStorage("absent", account, key, url)},
			want:    `cannot list azure container "absent" at AT: it does not exist; create it or correct storage.azure.container (ContainerNotFound, HTTP 404)`,
		},
		"silent": {
			storage: []string{azureStorage("images", account, key, "http://"+silent+"/"+account)},
			options: []string{"--timeout", "2s"},
			want:    `cannot list azure container "images" at http://` + silent + "/" + account + `: it does not answer in time; check its address and that it runs (no answer within 2s)`,
		},
	})
	s.down(t)
	expect(t, nil, url, map[string]try{"server down": {
		storage: []string{azureStorage("images", account, key, url)},
		want:    `cannot list azure container "images" at AT: it cannot be reached; check its address and that it runs (dial tcp ` + strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"+account) + `: connect: connection refused)`,
	}})
}

func TestCheckGoogle(t *testing.T) {
	s := startGoogle(t)
	writer, reader := s.values["serviceaccount"], s.values["readerserviceaccount"]
	expect(t, s, "", map[string]try{
		"good": {
			storage: []string{googleStorage("images", writer)},
			want:    `gcs bucket "images" can be read and written`, good: true,
		},
		"wrong key": {
			storage: []string{googleStorage("images", withOtherKey(t, writer))},
			want:    `cannot list gcs bucket "images": the credentials were refused; check storage.gcs.keyfile or credentials (auth: cannot fetch token: 400 Response: {"error":"invalid_grant","error_description":"Invalid JWT Signature."})`,
		},
		"no key": {
			storage: []string{"gcs: {bucket: images}"},
			want:    `cannot open gcs bucket "images": no credentials were found; give storage.gcs.keyfile or credentials, or run where the cloud gives an identity (credentials: could not find default credentials. See https://cloud.google.com/docs/authentication/external/set-up-adc for more information)`,
		},
		"no key file": {
			storage: []string{googleStorage("images", "/absent.json")},
			want:    `cannot open gcs bucket "images": open /absent.json: no such file or directory`,
		},
		"no such bucket": {
			storage: []string{googleStorage("absent", writer)},
			want:    `cannot list gcs bucket "absent": it does not exist; create it or correct storage.gcs.bucket (storage: bucket doesn't exist: googleapi: Error 404: Not Found, notFound)`,
		},
		"may only read": {
			storage: []string{googleStorage("images", reader)},
			want:    `cannot write to gcs bucket "images": it may be read but not written; allow the credentials the role roles/storage.objectUser on the bucket (googleapi: Error 403: reader@test.iam.gserviceaccount.com does not have storage.objects.create access to the Google Cloud Storage object., forbidden)`,
		},
		"may only read, and need not more": {
			storage: []string{googleStorage("images", reader), readOnly},
			want:    `gcs bucket "images" can be read`, good: true,
		},
	})
	s.down(t)
	expect(t, s, "", map[string]try{"server down": {
		storage: []string{googleStorage("images", writer)},
		options: []string{"--timeout", "3s"},
		want:    `cannot list gcs bucket "images": it cannot be reached; check its address and that it runs (dial tcp ` + googleAddress(s) + `:443: connect: connection refused)`,
	}})
}

func TestCheckSwift(t *testing.T) {
	s := startSwift(t)
	url, user, password := s.values["authurl"], s.values["username"], s.values["password"]
	expect(t, nil, url, map[string]try{
		"good": {
			storage: []string{swiftStorage("images", user, password, url)},
			want:    `swift container "images" at AT can be read and written`, good: true,
		},
		"wrong password": {
			storage: []string{swiftStorage("images", user, "not-the-password", url)},
			want:    `cannot open swift container "images" at AT: the credentials were refused; check storage.swift.username and password (AT refused the credentials)`,
		},
		"no such container": {
			storage: []string{swiftStorage("absent", user, password, url)},
			want:    `cannot open swift container "absent" at AT: it does not exist; create it or correct storage.swift.container (container "absent" does not exist in this account; create it first)`,
		},
		"server down": {
			storage: []string{swiftStorage("images", user, password, "http://127.0.0.1:1/auth/v1.0")},
			want:    `cannot open swift container "images" at http://127.0.0.1:1/auth/v1.0: it cannot be reached; check its address and that it runs (can't sign in at http://127.0.0.1:1/auth/v1.0: dial tcp 127.0.0.1:1: connect: connection refused)`,
		},
	})
	connection := &swift.Connection{AuthUrl: url, UserName: user, ApiKey: password}
	if err := connection.ContainerUpdate(t.Context(), "images", swift.Headers{"X-Container-Meta-Quota-Bytes": "1"}); err != nil {
		t.Fatal(err)
	}
	got := registry(t, nil, config(":5000", swiftStorage("images", user, password, url)), "check", "-")
	if want := `registry: cannot write to swift container "images" at ` + url + ": it is full; make space or raise its quota (PUT "; got.code != 1 || !strings.HasPrefix(got.stderr, want) {
		t.Errorf("got\n%+v\nwant\n%s", got, want)
	}
}

func TestCheckOSS(t *testing.T) {
	endpoint := startOSS(t)
	expect(t, nil, endpoint, map[string]try{
		"good": {
			storage: []string{ossStorage("images", ossKey, ossSecret, endpoint)},
			want:    `oss bucket "images" at AT can be read and written`, good: true,
		},
		"wrong secret": {
			storage: []string{ossStorage("images", ossKey, "not-the-secret", endpoint)},
			want:    `cannot open oss bucket "images" at AT: the credentials were refused; check storage.oss.accesskeyid and accesskeysecret (AT refuses the access key: SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method. (HTTP 403, request NUMBER))`,
		},
		"no such bucket": {
			storage: []string{ossStorage("absent", ossKey, ossSecret, endpoint)},
			want:    `cannot open oss bucket "absent" at AT: it does not exist; create it or correct storage.oss.bucket (bucket "absent" does not exist at AT: NoSuchBucket: The specified bucket does not exist. (HTTP 404, request NUMBER))`,
		},
		"server down": {
			storage: []string{ossStorage("images", ossKey, ossSecret, "http://127.0.0.1:1")},
			want:    `cannot open oss bucket "images" at http://127.0.0.1:1: it cannot be reached; check its address and that it runs (cannot reach http://127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused)`,
		},
	})
}

func TestCheckFolder(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount file systems and become somebody else")
	}
	root := t.TempDir()
	for parent := root; parent != "/tmp" && parent != "/"; parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "closed"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(binary), 0o755); err != nil {
		t.Fatal(err)
	}
	asServer := func(*testing.T) *exec.Cmd {
		c := exec.Command(binary, "check", "-")
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		return c
	}
	mounted := func(mount string) func(*testing.T) *exec.Cmd {
		return func(t *testing.T) *exec.Cmd { return inNamespace(t.Context(), mount, "check", "-") }
	}
	for name, test := range map[string]struct {
		command func(*testing.T) *exec.Cmd
		folder  string
		want    string
		good    bool
	}{
		"good":        {mounted("true"), root, `filesystem folder "FOLDER" can be read and written`, true},
		"not ours":    {asServer, root, `cannot write to filesystem folder "FOLDER": it may not be written; give it to the server's user (FOLDER: permission denied)`, false},
		"closed":      {asServer, filepath.Join(root, "closed"), `cannot list filesystem folder "FOLDER": it may not be read; give it to the server's user (open FOLDER/PROBE: permission denied)`, false},
		"full":        {mounted("mount -t tmpfs -o size=64k none " + root), root, `cannot upload to filesystem folder "FOLDER": it is full; make space or raise its quota (write FOLDER/PROBE/_uploads/probe/data: no space left on device)`, false},
		"may be read": {mounted("mount -t tmpfs -o ro none " + root), root, `cannot write to filesystem folder "FOLDER": it is read-only; mount it for writing (FOLDER: read-only file system)`, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := finish(t, test.command(t), config(":5000", folderStorage(test.folder)))
			got.stderr = probeName.ReplaceAllString(got.stderr, "PROBE")
			compare(t, got, strings.ReplaceAll(test.want, "FOLDER", test.folder), test.good)
		})
	}
}

func TestCheckIsStrictWithItsConfiguration(t *testing.T) {
	got := registry(t, nil, config(":5000", "s3: {bucket: images, region: r, secretkee: very-secret}"), "check", "-")
	want := result{code: 1, stderr: "registry: standard input: 1 problem\n  line 5: storage.s3.secretkee: unknown key; did you mean secretkey?\n"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// silentServer accepts connections and never answers.
func silentServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

// withOtherKey is a service account whose key is not the one the server knows.
func withOtherKey(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var account map[string]any
	if err := json.Unmarshal(content, &account); err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	account["private_key"] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
	if content, err = json.Marshal(account); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(other, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return other
}
