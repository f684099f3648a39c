package import Foundation
import Posix

/// Where things are in this checkout and its build.
package enum Places {
    /// The checkout's root.
    package static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The folder with the programs of the build that the tests are part of; `STRATA_PROGRAMS` names another.
    package static let programs: URL = {
        if let folder = ProcessInfo.processInfo.environment["STRATA_PROGRAMS"] { return URL(fileURLWithPath: folder) }
        // The test bundle lies beside the programs; it is this executable, or an argument of the one that loads it.
        let candidates = [CommandLine.arguments[0]] + CommandLine.arguments
        if let bundle = candidates.first(where: { $0.hasSuffix(".xctest") }) {
            return URL(fileURLWithPath: bundle).deletingLastPathComponent()
        }
        return root.appendingPathComponent(".build/debug")
    }()

    package static func program(_ name: String) throws -> String {
        let path = programs.appendingPathComponent(name).path
        guard FileManager.default.isExecutableFile(atPath: path) else { throw SupportFailure("\(path) is not built") }
        return path
    }

    /// Big Buck Bunny, 720p25 H.264 and AAC, 5.3 s.
    package static func clip() throws -> String {
        let path = ProcessInfo.processInfo.environment["STRATA_TEST_CLIP"] ?? root.appendingPathComponent(".cache/bigbuckbunny.mp4").path
        guard FileManager.default.fileExists(atPath: path) else { throw SupportFailure("\(path) is missing: ci/packages clip fetches it") }
        return path
    }
}

/// A folder of a test, 0700, deleted with its owner.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        // Short: the paths of Unix sockets inside have 108 bytes.
        let template = Array("/tmp/st-XXXXXX".utf8CString)
        path = try template.withUnsafeBufferPointer { template in
            var copy = Array(template)
            guard mkdtemp(&copy) != nil else { throw SystemError("mkdtemp") }
            return String(decoding: copy.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    package subscript(_ name: String) -> String { "\(path)/\(name)" }

    /// For its owner alone, as secrets have to be.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: self[name], atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: self[name])
        return self[name]
    }

    package func makeFolder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(
            atPath: self[name], withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return self[name]
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }  // Nothing more can be done about it here.
}

/// Ports that nobody has, outside the range that the system gives out by itself (from 32768 on): a connection that starts
/// meanwhile cannot take one before the program that it is for binds it. None is given twice in one run; of two runs beside each other
/// each has a half, as `STRATA_TEST_LANE` says, 0 or 1: a program that is down for a moment would lose its port to the other.
package enum FreePorts {
    private static let lane = ProcessInfo.processInfo.environment["STRATA_TEST_LANE"].flatMap { Int($0) }
    private static let singles = half(of: 10_000..<20_000)
    private static let ranges = half(of: 20_000..<32_000)
    private static let given = Guarded<Set<Int>>([])

    package static func tcp() throws -> Int { try single(SOCK_STREAM.rawValue) }

    package static func udp() throws -> Int { try single(SOCK_DGRAM.rawValue) }

    /// Whether nobody has this port, on any address.
    package static func isFreeUDP(_ port: Int) -> Bool { isFree(SOCK_DGRAM.rawValue, port) }

    /// `count` consecutive UDP ports.
    package static func udpRange(_ count: Int) throws -> ClosedRange<Int> {
        for _ in 0..<200 {
            let first = Int.random(in: ranges.lowerBound..<(ranges.upperBound - count))
            let range = first..<(first + count)
            guard range.allSatisfy({ isFree(SOCK_DGRAM.rawValue, $0) }) else { continue }
            let isOurs = given.withLock { given in
                guard given.isDisjoint(with: range) else { return false }
                given.formUnion(range)
                return true
            }
            if isOurs { return first...(first + count - 1) }
        }
        throw SupportFailure("no \(count) consecutive UDP ports are free")
    }

    private static func half(of all: Range<Int>) -> Range<Int> {
        guard let lane else { return all }
        let middle = all.lowerBound + all.count / 2
        return lane == 0 ? all.lowerBound..<middle : middle..<all.upperBound
    }

    private static func single(_ type: UInt32) throws -> Int {
        for _ in 0..<200 {
            let port = Int.random(in: singles)
            if isFree(type, port), given.withLock({ $0.insert(port).inserted }) { return port }
        }
        throw SupportFailure("no port of \(singles) is free")
    }

    /// Binds on all addresses, and gives the port back at once.
    private static func isFree(_ type: UInt32, _ port: Int) -> Bool {
        let descriptor = socket(AF_INET, CInt(type | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
