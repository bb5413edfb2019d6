package client

import (
	"context"
	"net/http"
	"net/url"

	"doorsync/cloud/api"
)

func site(name string) string { return "/sites/" + url.PathEscape(name) }

// Sites lists all sites.
func (c *Client) Sites(ctx context.Context) ([]api.Site, error) {
	var out api.SiteList
	err := c.get(ctx, "/sites", nil, &out)
	return out.Sites, err
}

// Site returns one site.
func (c *Client) Site(ctx context.Context, name string) (api.Site, error) {
	var out api.Site
	err := c.get(ctx, site(name), nil, &out)
	return out, err
}

// AddSite makes a site known and returns its key.
func (c *Client) AddSite(ctx context.Context, s api.NewSite) (api.SiteKey, error) {
	var out api.SiteKey
	err := c.post(ctx, "/sites", s, &out)
	return out, err
}

// RenewKey gives a site a new key and returns it.
func (c *Client) RenewKey(ctx context.Context, name string) (api.SiteKey, error) {
	var out api.SiteKey
	err := c.post(ctx, site(name)+"/key", nil, &out)
	return out, err
}

// SetSite changes what a site gets.
func (c *Client) SetSite(ctx context.Context, name string, s api.SiteChange) (api.Site, error) {
	var out api.Site
	err := c.ask(ctx, http.MethodPatch, site(name), nil, s, &out)
	return out, err
}

// Readers lists the readers of all sites, or of one.
func (c *Client) Readers(ctx context.Context, site string) ([]api.Reader, error) {
	q := url.Values{}
	set(q, "site", site)
	var out api.ReaderList
	err := c.get(ctx, "/readers", q, &out)
	return out.Readers, err
}

// Sync asks for a sync of a site, or of one of its readers.
func (c *Client) Sync(ctx context.Context, site, reader string) error {
	return c.post(ctx, "/sync", api.SyncOrder{Site: site, Reader: reader}, nil)
}

// Version tells what the center is.
func (c *Client) Version(ctx context.Context) (api.Version, error) {
	var out api.Version
	err := c.get(ctx, "/version", nil, &out)
	return out, err
}

// Health reports whether the center does its work.
func (c *Client) Health(ctx context.Context) (api.Health, error) {
	var out api.Health
	err := c.get(ctx, "/health", nil, &out)
	return out, err
}
