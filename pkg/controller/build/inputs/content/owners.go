package content

import (
	"github.com/coreos/ignition/v2/config/util"
	"github.com/coreos/ignition/v2/config/v3_5/types"
)

// accounts are the users and groups that a config makes. An image has none of them, since
// they are the machine's, so it cannot have what belongs to them by name either.
type accounts struct {
	users, groups map[string]bool
}

// findAccounts takes every user and group of the config for one that only the config
// makes: whether the base image has them is not known before it is built. RHCOS has no
// user core, for one. Only root is in every image.
func findAccounts(passwd types.Passwd) accounts {
	found := accounts{users: map[string]bool{}, groups: map[string]bool{}}
	for _, user := range passwd.Users {
		if user.Name == rootOwner || util.IsFalse(user.ShouldExist) {
			continue
		}
		found.users[user.Name] = true
		// Adding a user adds its group, if the config does not say otherwise.
		if !util.IsTrue(user.NoUserGroup) && util.NilOrEmpty(user.PrimaryGroup) {
			found.groups[user.Name] = true
		}
	}
	for _, group := range passwd.Groups {
		if group.Name != rootOwner && !util.IsFalse(group.ShouldExist) {
			found.groups[group.Name] = true
		}
	}
	return found
}

// why tells why a node cannot be in the image because of its owner; empty if it can.
func (a accounts) why(node types.Node) string {
	if node.User.ID == nil && node.User.Name != nil && a.users[*node.User.Name] {
		return "its owner " + shortText(*node.User.Name) + " is a user of the config's own, and users are the machine's"
	}
	if node.Group.ID == nil && node.Group.Name != nil && a.groups[*node.Group.Name] {
		return "its group " + shortText(*node.Group.Name) + " is one of the config's own, and groups are the machine's"
	}
	return ""
}
