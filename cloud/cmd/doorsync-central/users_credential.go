package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"doorsync/cloud/api/client"
	"doorsync/protocol"
)

// credential does something with the credential that was named by key or as a
// card.
func (a *app) credential(cmd *cobra.Command, keys []string, card string, do func(*client.Client, context.Context, string) error) error {
	key, err := credentialKey(keys, card)
	if err != nil {
		return err
	}
	c, err := a.connect()
	if err != nil {
		return err
	}
	return do(c, cmd.Context(), key)
}

func credentialKey(keys []string, card string) (string, error) {
	switch {
	case len(keys) == 1 && card == "":
		return keys[0], nil
	case len(keys) == 0 && card != "":
		n, err := strconv.ParseUint(card, 10, 64)
		if err != nil {
			return "", usagef("--card %s: a card is named by its number in digits", card)
		}
		return string(protocol.Card(n).Key()), nil
	default:
		return "", usagef("name one credential: by its key, or with --card")
	}
}
