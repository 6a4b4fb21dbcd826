// Package containerfile reads Containerfiles as the builders read them that a build may
// meet: those of OpenShift 4.14 up to the newest. Where two of them read a text in two
// ways, it is refused, with the line, the reason and what to write instead. It is the one
// reading of the controller: what is checked, what is rewritten, what the preview shows and
// what a backend asks of a Containerfile all come from it.
//
// What the builders have in common:
//
//   - A line that ends in a backslash goes on in the next line that is neither empty nor a
//     comment.
//   - Flags are the words that begin with two dashes right behind the instruction. Quotes
//     and backslashes in them mean nothing but themselves being taken away.
//   - A heredoc begins at a word of RUN, COPY or ADD that is nothing but << and its name.
//     A shell knows more ways to write one, and builders run the lines behind those as
//     instructions.
//   - Names of stages are compared exactly. Whatever is the name of no stage is an image,
//     and is pulled.
//   - Images are pulled ahead if FROM or COPY --from names them, letter by letter: there are
//     no variables yet, and no mounts.
//
// The module test/parsers compares this reading with those of the oldest and of the newest
// builder.
package containerfile
