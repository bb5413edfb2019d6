package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"

	"doorsync/cloud/roster"
)

func faultType() reflect.Type { return reflect.TypeFor[Fault]() }

// Errors that an Exchange wraps.
var (
	// ErrOffline: the site cannot be asked now.
	ErrOffline = errors.New("the site is offline")
	// ErrRefused: the site's agent was asked, and cannot.
	ErrRefused = errors.New("the site says no")
)

// fault says to people what an error of the roster or the exchange means. What
// is not theirs to mend is logged and not told.
func (s *service) fault(ctx context.Context, err error) error {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	if held, ok := errors.AsType[*roster.CredentialHeldError](err); ok {
		return &Fault{
			Status: http.StatusConflict, Code: CodeCredentialHeld, Message: held.Error(),
			Hint: "see user " + held.Holder + "; a credential belongs to one user and is never moved silently",
		}
	}
	for _, known := range knownFaults() {
		if errors.Is(err, known.err) {
			return &Fault{Status: known.status, Code: known.code, Message: err.Error(), Hint: known.hint}
		}
	}
	if ctx.Err() != nil {
		return &Fault{Status: http.StatusServiceUnavailable, Code: CodeUnavailable, Message: "the request was given up"}
	}
	s.log.ErrorContext(ctx, "request failed", "error", err)
	return &Fault{
		Status: http.StatusInternalServerError, Code: CodeInternal, Message: "the center could not do this",
		Hint: "the center's log says why",
	}
}

type knownFault struct {
	err    error
	status int
	code   string
	hint   string
}

func knownFaults() []knownFault {
	return []knownFault{
		{ErrBusy, http.StatusConflict, CodeBusy, "sources status shows how far it has come; ask again when it has ended"},
		{ErrConfirm, http.StatusConflict, CodeRefused, "sources runs shows the runs; import again to have the file as it is now looked at"},
		{ErrNoFile, http.StatusUnprocessableEntity, CodeInvalid, "send one with --file, or name it with sources set --file"},
		{errCutOff, http.StatusBadRequest, CodeInvalid, "send it again"},
		{roster.ErrUnknownSite, http.StatusNotFound, CodeNotFound, "sites list shows the sites there are"},
		{roster.ErrNotFound, http.StatusNotFound, CodeNotFound, ""},
		{roster.ErrExists, http.StatusConflict, CodeExists, ""},
		{roster.ErrRemoved, http.StatusConflict, CodeRemoved, "restore the user first"},
		{roster.ErrInvalid, http.StatusUnprocessableEntity, CodeInvalid, ""},
		{roster.ErrFull, http.StatusInsufficientStorage, CodeUnavailable, "free some space on the center's disk, then ask again"},
		{context.DeadlineExceeded, http.StatusGatewayTimeout, CodeOffline, "ask again, and see the agent's log if it stays so"},
		{ErrRefused, http.StatusConflict, CodeRefused, ""},
		{ErrOffline, http.StatusConflict, CodeOffline, "it syncs by itself when it is back, in every mode but off"},
	}
}
