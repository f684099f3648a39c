import Glibc
import Load

// The load of `ci/bench control`: boards and pages by the thousand, for as long as stdin is open. `LoadCommand` tells its lines; each is
// answered with one of JSON.
let load = try LoadCommand()
// Here and not in the command: it waits, and only this thread may.
while let line = readLine() {
    print(try await load.obey(line))
    _ = fflush(nil)
}
