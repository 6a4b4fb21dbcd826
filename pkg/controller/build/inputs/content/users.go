package content

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/coreos/ignition/v2/config/util"
	"github.com/coreos/ignition/v2/config/v3_5/types"

	"github.com/openshift/machine-config-operator/pkg/controller/build/inputs"
)

// userName is what shadow-utils takes for a user, as do the names of files.
var userName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,31}$`)

// users keeps the keys only: Ignition itself applies no users to an image.
func (f *filter) users(config *types.Config) *inputs.Problem {
	for _, user := range config.Passwd.Users {
		what := "passwd.users[" + shortText(user.Name) + "]"
		if !util.NilOrEmpty(user.PasswordHash) {
			f.leaveOut(what+".passwordHash", "a password hash is a credential")
		}
		if describesAccount(user) {
			f.leaveOut(what, "users and groups are the machine's")
		}
		if len(user.SSHAuthorizedKeys) == 0 || util.IsFalse(user.ShouldExist) {
			continue
		}
		if !userName.MatchString(user.Name) {
			f.leaveOut(what+".sshAuthorizedKeys", "the user's name is not one that every tool takes")
			continue
		}
		f.addKeys(user, what)
	}
	return nil
}

// addKeys writes the keys as Ignition writes them: one a line.
func (f *filter) addKeys(user types.PasswdUser, what string) {
	keys := make([]string, 0, len(user.SSHAuthorizedKeys))
	for _, key := range user.SSHAuthorizedKeys {
		keys = append(keys, string(key))
	}
	authorized := []byte(strings.TrimSuffix(strings.Join(keys, "\n"), "\n") + "\n")
	sum := sha256.Sum256(authorized)
	f.content.Users = append(f.content.Users, User{
		Name: user.Name, Keys: len(keys), Hash: hex.EncodeToString(sum[:]), authorized: authorized,
	})
	f.content.Findings = append(f.content.Findings, Scan(what+".sshAuthorizedKeys", authorized)...)
}

// describesAccount tells whether the config says more of a user than name, keys and
// password.
func describesAccount(user types.PasswdUser) bool {
	return user.UID != nil || user.Gecos != nil || user.HomeDir != nil || user.NoCreateHome != nil || user.PrimaryGroup != nil ||
		len(user.Groups) > 0 || user.NoUserGroup != nil || user.NoLogInit != nil || user.Shell != nil || user.ShouldExist != nil || user.System != nil
}
