import Crypto
import Foundation
import Testing

@Suite("A key file")
struct KeyFileTests {
    /// Runs `body` with a new folder.
    private func withFolder(_ body: (_ folder: String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("strata-keyfile-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test("takes no pipe's and no link's place, and both stay what they are")
    func others() throws {
        try withFolder { folder in
            let (pipe, link) = ("\(folder)/pipe", "\(folder)/link")
            #expect(mkfifo(pipe, 0o600) == 0)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "\(folder)/target")
            let reasons = [
                pipe: "it is no regular file, and would be replaced: name another path",
                link: "it is a symbolic link, which would be replaced: name the file itself",
            ]
            for (path, reason) in reasons {
                #expect(throws: CryptoError.file(path: path, reason: reason)) { try KeyFile.check(path) }
                #expect(throws: CryptoError.file(path: path, reason: reason)) { try KeyFile.write("text", to: path) }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["link", "pipe"])
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "\(folder)/target")
        }
    }

    @Test("is written into room that was taken before, with nothing of that left, and room that is given back is gone")
    func room() throws {
        try withFolder { folder in
            let path = "\(folder)/token"
            try KeyFile.write("the old one, which is longer", to: path)
            let draft = try KeyFile.reserve(4096, beside: path)
            #expect(try KeyFile.read(draft)?.utf8.count == 4096)
            #expect(try KeyFile.read(path) == "the old one, which is longer")
            try KeyFile.write("the new one", to: path, in: draft)
            KeyFile.drop(draft)
            #expect(try KeyFile.read(path) == "the new one")
            KeyFile.drop(try KeyFile.reserve(10, beside: path))
            try KeyFile.check(path)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["token"])
        }
    }
}
