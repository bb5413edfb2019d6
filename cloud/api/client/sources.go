package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"doorsync/cloud/api"
)

func source(name string) string { return "/sources/" + url.PathEscape(name) }

// Sources returns the sources, and how what several of them say is settled.
func (c *Client) Sources(ctx context.Context) (api.SourceList, error) {
	var out api.SourceList
	err := c.get(ctx, "/sources", nil, &out)
	return out, err
}

// SetSources changes how it is settled; every user is computed anew, in the
// background.
func (c *Client) SetSources(ctx context.Context, s api.Sources) (api.Sources, error) {
	var out api.Sources
	err := c.ask(ctx, http.MethodPut, "/sources", nil, s, &out)
	return out, err
}

// PreviewSources tells what SetSources would do to whom.
func (c *Client) PreviewSources(ctx context.Context, s api.Sources) (api.Preview, error) {
	var out api.Preview
	err := c.post(ctx, "/preview/sources", s, &out)
	return out, err
}

// Source returns one source.
func (c *Client) Source(ctx context.Context, name string) (api.Source, error) {
	var out api.Source
	err := c.get(ctx, source(name), nil, &out)
	return out, err
}

// AddSource adds a source.
func (c *Client) AddSource(ctx context.Context, s api.NewSource) (api.Source, error) {
	var out api.Source
	err := c.post(ctx, "/sources", s, &out)
	return out, err
}

// SetSource changes a source.
func (c *Client) SetSource(ctx context.Context, name string, s api.SourceChange) (api.Source, error) {
	var out api.Source
	err := c.ask(ctx, http.MethodPatch, source(name), nil, s, &out)
	return out, err
}

// RemoveSource withdraws all that a source said and forgets it, or tells what
// that would do.
func (c *Client) RemoveSource(ctx context.Context, name string, dry bool) (api.Preview, error) {
	q := url.Values{}
	if dry {
		q.Set("dry_run", "true")
	}
	var out api.Preview
	err := c.ask(ctx, http.MethodDelete, source(name), q, nil, &out)
	return out, err
}

// Runs returns one page of the runs of a source, newest first.
func (c *Client) Runs(ctx context.Context, name string, before uint64, limit int) (api.RunList, error) {
	q := url.Values{}
	if before > 0 {
		q.Set("before", strconv.FormatUint(before, 10))
	}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	var out api.RunList
	err := c.get(ctx, source(name)+"/runs", q, &out)
	return out, err
}

// Run returns one run of a source, whole.
func (c *Client) Run(ctx context.Context, name string, number uint64) (api.Run, error) {
	var out api.Run
	err := c.get(ctx, source(name)+"/runs/"+strconv.FormatUint(number, 10), nil, &out)
	return out, err
}

// Undecided lists whom sources name and who may be one of several users.
func (c *Client) Undecided(ctx context.Context) ([]api.Undecided, error) {
	var out api.UndecidedList
	err := c.get(ctx, "/undecided", nil, &out)
	return out.Undecided, err
}

// Decide says who somebody is whom a source names.
func (c *Client) Decide(ctx context.Context, name string, d api.Decision) error {
	return c.post(ctx, source(name)+"/decide", d, nil)
}

// Fields lists the custom values that are defined.
func (c *Client) Fields(ctx context.Context) ([]api.Field, error) {
	var out api.FieldList
	err := c.get(ctx, "/fields", nil, &out)
	return out.Fields, err
}

// PutField defines a custom value.
func (c *Client) PutField(ctx context.Context, name string, d api.FieldDefinition) (api.Field, error) {
	var out api.Field
	err := c.ask(ctx, http.MethodPut, "/fields/"+url.PathEscape(name), nil, d, &out)
	return out, err
}

// DropField forgets the definition of a custom value.
func (c *Client) DropField(ctx context.Context, name string) error {
	return c.ask(ctx, http.MethodDelete, "/fields/"+url.PathEscape(name), nil, nil, nil)
}

// Mails lists the mail that waits to be sent.
func (c *Client) Mails(ctx context.Context) ([]api.Mail, error) {
	var out api.MailList
	err := c.get(ctx, "/mail", nil, &out)
	return out.Mails, err
}

// ResendMail sends a mail again that was given up on, or may have been sent.
func (c *Client) ResendMail(ctx context.Context, id uint64) error {
	return c.post(ctx, "/mail/"+strconv.FormatUint(id, 10)+"/resend", nil, nil)
}

// DropMail takes a mail out without sending it.
func (c *Client) DropMail(ctx context.Context, id uint64) error {
	return c.ask(ctx, http.MethodDelete, "/mail/"+strconv.FormatUint(id, 10), nil, nil, nil)
}
