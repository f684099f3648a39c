import Foundation
import Testing

@testable import API

@Suite("State folder")
struct StateFolderTests {
    private let path = NSTemporaryDirectory() + "st-\(UUID().uuidString)"

    private func mode() throws -> Int? { try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int }

    @Test("a folder is made for us alone, and taken again")
    func made() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try StateFolder(path)
        #expect(try mode() == 0o700)
        _ = try StateFolder(path)
    }

    @Test("one that is open to others stays as it is, and is refused with what to do")
    func open() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        defer { try? FileManager.default.removeItem(atPath: path) }
        let error = #expect(throws: StateFolder.Open.self) { try StateFolder(path) }
        #expect(error?.description.hasSuffix("is open to others (mode 755): choose another one, or close it with chmod 700") == true)
        #expect(try mode() == 0o755)
    }
}
