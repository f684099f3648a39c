import Foundation
import Glibc
import Posix

/// A folder of a test's own, gone when the test is.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("outputs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func files(_ ending: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(ending) }.sorted().map { file($0) }
    }
}

/// A program that a test started, and ends.
final class Running: @unchecked Sendable {
    // Sendable: Process is made in init and only signalled and waited for afterwards.
    private let process = Process()

    init(_ program: String, _ arguments: [String], output: String? = nil) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        if let output {
            _ = FileManager.default.createFile(atPath: output, contents: nil)
            process.standardOutput = FileHandle(forWritingAtPath: output)
        }
        try process.run()
    }

    func signal(_ number: CInt) { kill(process.processIdentifier, number) }

    func end() {
        guard process.isRunning else { return }
        signal(SIGCONT)
        process.terminate()
        process.waitUntilExit()
    }

    deinit { end() }

    /// Runs a program to its end and gives what it wrote.
    static func output(of program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}

/// nginx with its RTMP module as the platform, on a port of its own; it records what is published to `live`.
final class Platform: Sendable {
    let port: Int
    private let folder: Folder
    private let nginx: Guarded<Running?>

    init() throws {
        folder = try Folder()
        port = try freePort(SOCK_STREAM)
        let configuration = """
            daemon off; master_process off; error_log \(folder.path)/error.log info; pid \(folder.path)/pid;
            load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
            events { worker_connections 64; }
            rtmp { access_log off; server { listen 127.0.0.1:\(port); chunk_size 4096;
            application live { live on; record all; record_path \(folder.path); record_unique on; }
            application closed { live on; deny publish all; } } }
            """
        try configuration.write(toFile: folder.file("nginx.conf"), atomically: true, encoding: .utf8)
        nginx = Guarded(nil)
        try start()
    }

    func start() throws {
        let running = try Running("nginx", ["-p", folder.path, "-c", folder.file("nginx.conf")])
        nginx.withLock { $0 = running }
        try waitForListener(port)
    }

    func stop() { nginx.withLock { $0.take() }?.end() }

    /// Stops reading without closing anything.
    func freeze() { nginx.withLock { $0?.signal(SIGSTOP) } }

    var recordings: [String] { (try? folder.files(".flv")) ?? [] }
}

enum PeerFault: Error { case noPort, noListener(Int) }

/// A port that nothing listens on at this moment.
func freePort(_ type: __socket_type) throws -> Int {
    let descriptor = socket(AF_INET, CInt(type.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
        }
    }
    guard bound else { throw PeerFault.noPort }
    return Int(UInt16(bigEndian: address.sin_port))
}

/// Returns when something listens there: asked of the kernel's table, at most 5 s.
private func waitForListener(_ port: Int) throws {
    let wanted = "0100007F:" + String(format: "%04X", port)
    let deadline = Instant.now + .seconds(5)
    while Instant.now < deadline {
        let table = (try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)) ?? ""
        let listens = table.split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 && fields[1] == wanted && fields[3] == "0A"
        }
        if listens { return }
        usleep(10_000)
    }
    throw PeerFault.noListener(port)
}
