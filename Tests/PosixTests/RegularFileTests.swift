import Foundation
import Testing

@testable import Posix

@Suite("A file that is read as a whole") struct RegularFileTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "strata-files-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test("is what lies on disk, with its permissions, up to a limit")
    func whole() throws {
        try inFolder { folder in
            let path = "\(folder)/file"
            try Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0) }).write(to: URL(fileURLWithPath: path))
            #expect(chmod(path, 0o640) == 0)
            let file = try RegularFile(path, upTo: 100_000)
            #expect(file.bytes == (0..<100_000).map { UInt8(truncatingIfNeeded: $0) } && file.mode == 0o640)
            #expect(throws: RegularFile.Fault.tooLarge(path, limit: 99_999)) { try RegularFile(path, upTo: 99_999) }
            try Data().write(to: URL(fileURLWithPath: path))
            #expect(try RegularFile(path, upTo: 0).bytes.isEmpty)
            #expect(symlink(path, "\(folder)/link") == 0)
            #expect(try RegularFile("\(folder)/link", upTo: 10).bytes.isEmpty)
            #expect(throws: RegularFile.Fault.system(SystemError("open", ELOOP, on: "\(folder)/link"))) {
                try RegularFile("\(folder)/link", upTo: 10, links: .refused)
            }
        }
    }

    @Test("is no pipe, device or folder, none of which is waited for, and none that grows meanwhile")
    func irregular() throws {
        try inFolder { folder in
            #expect(mkfifo("\(folder)/pipe", 0o600) == 0 && symlink("pipe", "\(folder)/link") == 0)
            for path in ["\(folder)/pipe", "\(folder)/link", "/dev/zero", folder] {
                let fault = #expect(throws: RegularFile.Fault.self) { try RegularFile(path, upTo: 1 << 20) }
                #expect(fault == .notRegular(path) && fault?.description == "\(path): it is no regular file")
            }
            // The kernel says that it is empty.
            #expect(throws: RegularFile.Fault.changing("/proc/self/maps")) { try RegularFile("/proc/self/maps", upTo: 1 << 20) }
            let missing = #expect(throws: RegularFile.Fault.self) { try RegularFile("\(folder)/none", upTo: 10) }
            #expect(missing?.isMissing == true && missing?.reason == "open: No such file or directory (2)")
        }
    }
}
