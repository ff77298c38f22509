package gcs

import (
	"bytes"
	"context"
	"encoding"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"google.golang.org/api/googleapi"
)

const uploadAddress = "https://storage.googleapis.com/upload/storage/v1/b/"

// session is a resumable upload of Google's
// (https://cloud.google.com/storage/docs/performing-resumable-uploads).
type session struct {
	client *http.Client
	// uri is where the bytes are sent. It is empty before the session begins.
	uri string
	// offset is the number of bytes that Google has.
	offset int64
	// sum is the sum of the bytes that Google should have. If another writer has sent other bytes in their place, Google
	// has those, and does not tell. It is nil if the driver that began the session did not keep a sum.
	sum hash.Hash
}

// The metadata of a session's object. The names are those of the engine's driver, which keeps no sum.
const (
	uriOfSession    = "Session-URI"
	offsetOfSession = "Offset"
	sumOfSession    = "MD5-State"
)

// record is what another writer needs to continue the session.
func (s *session) record() (map[string]string, error) {
	record := map[string]string{uriOfSession: s.uri, offsetOfSession: strconv.FormatInt(s.offset, 10)}
	if s.sum != nil {
		state, err := s.sum.(encoding.BinaryMarshaler).MarshalBinary()
		if err != nil {
			return nil, err
		}
		record[sumOfSession] = base64.StdEncoding.EncodeToString(state)
	}
	return record, nil
}

func (s *session) resume(record map[string]string) (err error) {
	if s.offset, err = strconv.ParseInt(record[offsetOfSession], 10, 64); err != nil {
		return err
	}
	s.uri = record[uriOfSession]
	if record[sumOfSession] == "" {
		if s.offset > 0 {
			s.sum = nil
		}
		return nil
	}
	state, err := base64.StdEncoding.DecodeString(record[sumOfSession])
	if err != nil {
		return err
	}
	return s.sum.(encoding.BinaryUnmarshaler).UnmarshalBinary(state)
}

// errEnded is the error of a session in which nothing more can be sent. Google requires a new session then.
var errEnded = errors.New("the session of an upload has ended")

// begin starts a session, and gets the address to send the content of an object to.
func (s *session) begin(ctx context.Context, bucket, name string) error {
	query := url.Values{"uploadType": {"resumable"}, "name": {name}}
	address := uploadAddress + url.PathEscape(bucket) + "/o?" + query.Encode()
	return retry(ctx, func() error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, nil)
		if err != nil {
			return err
		}
		request.Header.Set("X-Upload-Content-Type", contentType)
		answer, err := s.client.Do(request)
		if err != nil {
			return err
		}
		defer drain(answer)
		if err := googleapi.CheckResponse(answer); err != nil {
			return err
		}
		if s.uri = answer.Header.Get("Location"); s.uri == "" {
			return errors.New("no answer of Google Cloud Storage: the session of an upload has no address")
		}
		return nil
	})
}

// send goes on until Google has all of the content. With last, the content is the end of the object. Bytes that arrived
// in a failed try are sent again: Google ignores those that it already has.
func (s *session) send(ctx context.Context, content []byte, last bool) error {
	start, end, total := s.offset, s.offset+int64(len(content)), "*"
	if last {
		total = strconv.FormatInt(end, 10)
	}
	err := retry(ctx, func() error {
		for {
			before := s.offset
			status, complete, err := s.put(ctx, content[before-start:], total)
			switch {
			case err != nil:
				return err
			case complete && last, !complete && !last && s.offset >= end:
				return nil
			case complete || s.offset <= before || s.offset > end:
				return fmt.Errorf("%w: %s", errEnded, status)
			}
		}
	})
	if err != nil {
		s.offset = start
		return err
	}
	s.offset = end
	if s.sum != nil {
		s.sum.Write(content)
	}
	return nil
}

// put sends the next bytes. complete says that Google has made the object.
func (s *session) put(ctx context.Context, content []byte, total string) (status string, complete bool, err error) {
	span := "*"
	if len(content) > 0 {
		span = fmt.Sprintf("%d-%d", s.offset, s.offset+int64(len(content))-1)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, s.uri, bytes.NewReader(content))
	if err != nil {
		return "", false, err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Content-Range", "bytes "+span+"/"+total)
	answer, err := s.client.Do(request)
	if err != nil {
		return "", false, err
	}
	defer drain(answer)
	switch answer.StatusCode {
	case http.StatusPermanentRedirect:
		// Google expects more bytes.
		s.offset = arrived(answer.Header.Get("Range"))
		return answer.Status, false, nil
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		return "", false, fmt.Errorf("%w: %s", errEnded, answer.Status)
	default:
		return answer.Status, true, googleapi.CheckResponse(answer)
	}
}

var rangeOfArrived = regexp.MustCompile(`^bytes=0-(\d+)$`)

// arrived is the number of bytes that Google has. Google names no range while it has none.
func arrived(header string) int64 {
	found := rangeOfArrived.FindStringSubmatch(header)
	if found == nil {
		return 0
	}
	last, err := strconv.ParseInt(found[1], 10, 64)
	if err != nil {
		return 0
	}
	return last + 1
}

// drain reads the answer to its end, so that the next request can use the connection.
func drain(answer *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, longestError))
	answer.Body.Close()
}
