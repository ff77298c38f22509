package osstest

import (
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/http"
	"strconv"
)

// apiError is the <Error> document of the service.
type apiError struct {
	XMLName           xml.Name `xml:"Error"`
	Code              string
	Message           string
	RequestID         string `xml:"RequestId"`
	HostID            string `xml:"HostId"`
	EC                string `xml:",omitempty"`
	Endpoint          string `xml:",omitempty"`
	StringToSign      string `xml:",omitempty"`
	CanonicalRequest  string `xml:",omitempty"`
	SignatureProvided string `xml:",omitempty"`

	status int
}

func (e apiError) Error() string { return e.Code + ": " + e.Message }

func errNoSuchKey() error {
	return apiError{status: http.StatusNotFound, Code: "NoSuchKey", Message: "The specified key does not exist."}
}

func errNoSuchUpload() error {
	return apiError{status: http.StatusNotFound, Code: "NoSuchUpload",
		Message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."}
}

func errInvalidArgument(message string) error {
	return apiError{status: http.StatusBadRequest, Code: "InvalidArgument", Message: message}
}

func errPrecondition() error {
	return apiError{status: http.StatusPreconditionFailed, Code: "PreconditionFailed",
		Message: "At least one of the pre-conditions you specified did not hold."}
}

// writeError answers with e. The body of the request is drained first, so that
// a client still sending gets the answer and not a reset connection. A HEAD
// answer has no body, so the document goes into x-oss-err.
func writeError(w http.ResponseWriter, r *http.Request, e apiError) {
	io.Copy(io.Discard, r.Body)
	e.RequestID = w.Header().Get("x-oss-request-id")
	e.HostID = r.Host
	body, err := xml.Marshal(e)
	if err != nil {
		panic(err) // apiError holds strings only
	}
	body = append([]byte(xml.Header), body...)
	if e.EC != "" {
		w.Header().Set("x-oss-ec", e.EC)
	}
	w.Header().Set("Content-Type", "application/xml")
	if r.Method == http.MethodHead {
		w.Header().Set("x-oss-err", base64.StdEncoding.EncodeToString(body))
		w.WriteHeader(e.status)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.status)
	w.Write(body)
}

func writeXML(w http.ResponseWriter, document any) {
	body, err := xml.Marshal(document)
	if err != nil {
		panic(err) // the documents of this package always marshal
	}
	body = append([]byte(xml.Header), body...)
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	w.Write(body)
}
