import Foundation
import Lab

// The link emulator as a program, for ci/up and for people. Tests/README.md tells its arguments.
exit(LabCommand(Array(CommandLine.arguments.dropFirst())).run())
