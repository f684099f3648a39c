import Glibc
import Posix
import Testing

@Suite struct FolderLockTests {
    @Test("a folder has one holder, and another one when it is given up or its holder is gone")
    func oneHolder() throws {
        var template = Array("/tmp/strata-lock-XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        defer {
            unlink(folder + "/lock")
            rmdir(folder)
        }
        var first: FolderLock? = try FolderLock(folder)
        let refused = #expect(throws: SystemError.self) { try FolderLock(folder) }
        #expect(refused?.code == EWOULDBLOCK)
        first?.release()
        let second = try FolderLock(folder)
        first = nil
        #expect(throws: SystemError.self) { try FolderLock(folder) }
        // Parts of it are had by themselves.
        let part = try FolderLock(folder, file: "part")
        defer { unlink(folder + "/part") }
        #expect(throws: SystemError.self) { try FolderLock(folder, file: "part") }
        withExtendedLifetime((second, part)) {}
    }

    @Test("a folder that is not there, and a lock that is a link, are refused")
    func refused() throws {
        #expect(throws: SystemError.self) { try FolderLock("/nonexistent") }
        var template = Array("/tmp/strata-lock-XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        defer {
            unlink(folder + "/lock")
            rmdir(folder)
        }
        #expect(symlink("/etc/passwd", folder + "/lock") == 0)
        #expect(throws: SystemError.self) { try FolderLock(folder) }
    }
}
