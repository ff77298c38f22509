package swift

import (
	"bytes"
	"reflect"
	"testing"

	ncw "github.com/ncw/swift/v2"
)

func TestUploadRecord(t *testing.T) {
	for name, u := range map[string]*upload{
		"begun":             {Version: recordVersion, ID: "id", Segments: []segment{}},
		"tail with newline": {Version: recordVersion, ID: "id", Segments: []segment{}, tail: []byte("a\nb\n")},
		"segments":          {Version: recordVersion, ID: "id", Segments: []segment{{1, 10, "e1", ""}, {4, 20, "e4", "writer"}}, tail: []byte{0, 255}},
	} {
		t.Run(name, func(t *testing.T) {
			record, err := u.encode()
			if err != nil {
				t.Fatal(err)
			}
			got, err := decodeUpload(record)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.tail, u.tail) {
				t.Errorf("tail %q, want %q", got.tail, u.tail)
			}
			got.tail = u.tail
			if !reflect.DeepEqual(got, u) {
				t.Errorf("got %+v, want %+v", got, u)
			}
		})
	}
}

func TestUploadRecordErrors(t *testing.T) {
	for name, record := range map[string]string{
		"empty":           "",
		"cut short":       `{"version":1,"upl`,
		"no end of line":  `{"version":1,"upload":"id","segments":[]}`,
		"another version": "{\"version\":3,\"upload\":\"id\",\"segments\":[]}\n",
		"no id":           "{\"version\":1,\"segments\":[]}\n",
	} {
		t.Run(name, func(t *testing.T) {
			if u, err := decodeUpload([]byte(record)); err == nil {
				t.Errorf("no error, but %+v", u)
			}
		})
	}
}

func TestUploadNumbers(t *testing.T) {
	for _, test := range []struct {
		upload upload
		next   int
		size   int64
	}{
		{upload{}, 1, 0},
		{upload{tail: []byte("abc")}, 1, 3},
		{upload{Segments: []segment{{Number: 1, Size: 10}, {Number: 4, Size: 20}}, tail: []byte("abc")}, 5, 33},
	} {
		if next, size := test.upload.next(), test.upload.size(); next != test.next || size != test.size {
			t.Errorf("%+v: next %d and size %d, want %d and %d", test.upload, next, size, test.next, test.size)
		}
	}
}

// TestQuotedETag has a cluster that puts ETags in quotes, as HTTP does: a record must still be recognised.
func TestQuotedETag(t *testing.T) {
	sum := checksum([]byte("record"))
	for _, etag := range []string{sum, `"` + sum + `"`} {
		if got := parseObject(ncw.Headers{"Etag": etag}).etag; got != sum {
			t.Errorf("%s is read as %s", etag, got)
		}
	}
}
