import Foundation
import Posix
import Testing

@testable import Service

@Suite("What a program reads") struct ProgramContextTests {
    @Test("a configuration is text on disk: a pipe in its place is named at once, and not waited for")
    func configuration() throws {
        let path = NSTemporaryDirectory() + "strata-text-\(UUID().uuidString)"
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        #expect(throws: RegularFile.Fault.notRegular(path)) { try ProgramContext.readText(path) }
        #expect(unlink(path) == 0)
        try "[a]\n".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try ProgramContext.readText(path) == "[a]\n" && ProgramContext.readInput(path) == "[a]\n")
        try Data([0xFF, 0xFE]).write(to: URL(fileURLWithPath: path))
        #expect(throws: RegularFile.Fault.system(SystemError("read", EILSEQ, on: path))) { try ProgramContext.readText(path) }
    }
}
