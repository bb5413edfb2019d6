package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"doorsync/cloud/api"
)

// UserQuery says which users are wanted.
type UserQuery struct {
	Text    string // part of a name, an ID or another value
	Site    string
	Group   string
	State   string // active or inactive
	Removed bool
	After   string
	Limit   int
}

func (q UserQuery) values() url.Values {
	v := url.Values{}
	set(v, "text", q.Text)
	set(v, "site", q.Site)
	set(v, "group", q.Group)
	set(v, "state", q.State)
	set(v, "after", q.After)
	if q.Removed {
		v.Set("removed", "true")
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

func set(v url.Values, key, value string) {
	if value != "" {
		v.Set(key, value)
	}
}

func user(id string) string { return "/users/" + url.PathEscape(id) }

// Users returns one page of users.
func (c *Client) Users(ctx context.Context, q UserQuery) (api.UserPage, error) {
	var out api.UserPage
	err := c.get(ctx, "/users", q.values(), &out)
	return out, err
}

// User returns one user by user ID or GUID.
func (c *Client) User(ctx context.Context, id string) (api.User, error) {
	var out api.User
	err := c.get(ctx, user(id), nil, &out)
	return out, err
}

// Put makes or changes a user.
func (c *Client) Put(ctx context.Context, id string, p api.Patch) (api.User, error) {
	var out api.User
	err := c.ask(ctx, http.MethodPut, user(id), nil, p, &out)
	return out, err
}

// Delete removes a user everywhere.
func (c *Client) Delete(ctx context.Context, id string) error {
	return c.ask(ctx, http.MethodDelete, user(id), nil, nil, nil)
}

// Restore brings a deleted user back.
func (c *Client) Restore(ctx context.Context, id string) (api.User, error) {
	var out api.User
	err := c.post(ctx, user(id)+"/restore", nil, &out)
	return out, err
}

// Explain tells who holds what of a user.
func (c *Client) Explain(ctx context.Context, id string) (api.Explanation, error) {
	var out api.Explanation
	err := c.get(ctx, user(id)+"/explain", nil, &out)
	return out, err
}

// Merge makes two users one.
func (c *Client) Merge(ctx context.Context, a, b string) (api.User, error) {
	var out api.User
	err := c.post(ctx, "/merge", api.Merge{Users: []string{a, b}}, &out)
	return out, err
}

// PreviewMerge tells what making two users one would do.
func (c *Client) PreviewMerge(ctx context.Context, a, b string) (api.Preview, error) {
	var out api.Preview
	err := c.post(ctx, "/preview/merge", api.Merge{Users: []string{a, b}}, &out)
	return out, err
}

// Split takes two apart that were made one, and returns the one that came back.
func (c *Client) Split(ctx context.Context, id string, s api.Split) (api.User, error) {
	var out api.User
	err := c.post(ctx, user(id)+"/split", s, &out)
	return out, err
}

// PreviewSplit tells what Split would do.
func (c *Client) PreviewSplit(ctx context.Context, id string, s api.Split) (api.Preview, error) {
	var out api.Preview
	err := c.post(ctx, "/preview"+user(id)+"/split", s, &out)
	return out, err
}

// PreviewResolve tells what Resolve would do.
func (c *Client) PreviewResolve(ctx context.Context, guid string, r api.Resolution) (api.Preview, error) {
	var out api.Preview
	err := c.post(ctx, "/preview/conflicts/"+url.PathEscape(guid)+"/resolve", r, &out)
	return out, err
}

// Conflicts lists the users that wait for a person's decision.
func (c *Client) Conflicts(ctx context.Context) ([]api.Conflict, error) {
	var out api.ConflictList
	err := c.get(ctx, "/conflicts", nil, &out)
	return out.Conflicts, err
}

// Resolve decides about a conflict.
func (c *Client) Resolve(ctx context.Context, guid string, r api.Resolution) (api.User, error) {
	var out api.User
	err := c.post(ctx, "/conflicts/"+url.PathEscape(guid)+"/resolve", r, &out)
	return out, err
}

// Revoke makes a credential open nothing anywhere, until Allow.
func (c *Client) Revoke(ctx context.Context, key string) error {
	return c.post(ctx, "/credentials/revoke", api.CredentialKey{Key: key}, nil)
}

// Allow takes a revocation back.
func (c *Client) Allow(ctx context.Context, key string) error {
	return c.post(ctx, "/credentials/allow", api.CredentialKey{Key: key}, nil)
}
