package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Fault is what a request gets that is not carried out.
type Fault struct {
	Status  int      `json:"-"`
	Code    string   `json:"code" doc:"Stable, for programs" example:"not_found"`
	Message string   `json:"message" doc:"What went wrong, for people"`
	Hint    string   `json:"hint,omitempty" doc:"What to do about it"`
	Details []Detail `json:"details,omitempty" doc:"Each thing that is wrong with the request"`
}

// Detail is one thing that is wrong with a request.
type Detail struct {
	Where   string `json:"where,omitempty" example:"body.set.state"`
	Message string `json:"message"`
}

// Error is the message, and the hint if there is one.
func (f *Fault) Error() string {
	var text strings.Builder
	text.WriteString(f.Message)
	for _, d := range f.Details {
		text.WriteString("; " + d.Where + ": " + d.Message)
	}
	if f.Hint != "" {
		text.WriteString(" (" + f.Hint + ")")
	}
	return text.String()
}

// GetStatus is the HTTP status of the fault.
func (f *Fault) GetStatus() int { return f.Status }

// The codes of faults.
const (
	CodeInvalid        = "invalid"
	CodeUnauthorized   = "unauthorized"
	CodeNotFound       = "not_found"
	CodeExists         = "exists"
	CodeRemoved        = "removed"
	CodeCredentialHeld = "credential_held"
	CodeOffline        = "site_offline"
	CodeRefused        = "refused"
	CodeBusy           = "busy"
	CodeUnavailable    = "unavailable"
	CodeInternal       = "internal"
)

func invalid(where, message, hint string) *Fault {
	return &Fault{
		Status: http.StatusUnprocessableEntity, Code: CodeInvalid, Message: "the request is not valid",
		Hint: hint, Details: []Detail{{Where: where, Message: message}},
	}
}

// plain turns the framework's own errors into Faults. What was sent is not
// echoed: it may hold a PIN.
func plain(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	f := &Fault{Status: m.Status, Code: codeOf(m.Status), Message: m.Detail}
	for _, e := range m.Errors {
		f.Details = append(f.Details, Detail{Where: e.Location, Message: e.Message})
	}
	if f.Code == CodeInvalid {
		f.Hint = "see /openapi.json for what is expected"
	}
	return f, nil
}

func codeOf(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return CodeUnauthorized
	case status == http.StatusNotFound:
		return CodeNotFound
	case status >= http.StatusInternalServerError:
		return CodeInternal
	default:
		return CodeInvalid
	}
}
