import Crypto
import Foundation
import Support
import Testing

/// What boards fetch of releases, from a running server.
@Suite(.serialized, .unlessStolen)
struct ReleaseRouteTests {
    /// Puts a file where `strata-provision release publish` does.
    /// - Returns: its name.
    @discardableResult
    static func publish(_ bytes: [UInt8], as name: String? = nil, at desk: FrontDesk) throws -> String {
        try publish(bytes, as: name, on: desk.stage)
    }

    @discardableResult
    static func publish(_ bytes: [UInt8], as name: String? = nil, on stage: Stage) throws -> String {
        let name = name ?? Hex.encode(SHA256.hash(bytes))
        let folder = stage.folder["control/releases"]
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        return name
    }

    @Test("a file of a release comes whole or in parts, from where the last connection broke")
    func ranges() async throws {
        try await atFrontDesk { desk in
            let board = desk.visitor()
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let path = "/releases/\(try Self.publish(bytes, at: desk))"
            let whole = try await board.send("GET", path)
            #expect(whole.status == 200 && whole.body == bytes)
            #expect(whole.headers["accept-ranges"] == "bytes" && whole.headers["content-type"] == "application/octet-stream")
            #expect(whole.headers["cache-control"] == "public, max-age=31536000, immutable")
            let tag = try #require(whole.headers["etag"])
            var fetched: [UInt8] = []
            while fetched.count < bytes.count {
                let range = "bytes=\(fetched.count)-\(min(fetched.count + 99_999, bytes.count - 1))"
                let part = try await board.send("GET", path, headers: [("Range", range), ("If-Range", tag)])
                try #require(part.status == 206 && !part.body.isEmpty, "\(part.status)")
                #expect(part.headers["content-range"] == "bytes \(fetched.count)-\(fetched.count + part.body.count - 1)/\(bytes.count)")
                fetched += part.body
            }
            #expect(fetched == bytes)
            #expect(try await board.send("GET", path, headers: [("Range", "bytes=300000-")]).status == 416)
            let head = try await board.send("HEAD", path)
            #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] == "300000")
        }
    }

    @Test("lists of keys and releases are asked for anew each time, and nothing but what is published is there")
    func names() async throws {
        try await atFrontDesk { desk in
            let board = desk.visitor()
            let digest = String(repeating: "a", count: 64)
            // Before there is a folder.
            #expect(try await board.send("GET", "/releases/keys.1").status == 404)
            for name in ["keys.1", "1.4.0.release", "1.5.0-rc.1.release"] {
                try Self.publish(Array(name.utf8), as: name, at: desk)
                let answer = try await board.send("GET", "/releases/\(name)")
                #expect(answer.status == 200 && answer.body == Array(name.utf8), "\(answer)")
                #expect(answer.headers["cache-control"] == "no-cache" && answer.headers["etag"] != nil)
            }
            let folder = desk.stage.folder["control/releases"]
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/\(digest)", withDestinationPath: "../operator-token")
            try FileManager.default.createDirectory(atPath: "\(folder)/keys.2", withIntermediateDirectories: true)
            try Self.publish([1], as: "secret", at: desk)
            for name in [
                digest, "keys.2", "keys.3", "keys.0", "keys.01", "secret", "..%2foperator-token", "%2e%2e%2foperator-token", "1.4.release",
                digest.uppercased(), ".release", "keys.",
            ] {
                let answer = try await board.send("GET", "/releases/\(name)")
                #expect([400, 404].contains(answer.status), "\(name): \(answer)")
            }
        }
    }
}
