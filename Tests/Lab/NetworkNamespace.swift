import CLab
import Glibc
import Posix

/// A network namespace with a name, as `ip netns` knows it.
package struct NetworkNamespace: Hashable, Sendable {
    package let name: String

    package init(_ name: String) { self.name = name }

    package static let folder = "/run/netns"
    /// What `ip netns exec` lays over /etc, by namespace.
    static let files = "/etc/netns"

    func removeFiles() {
        unlink("\(Self.files)/\(name)/resolv.conf")
        rmdir("\(Self.files)/\(name)")
    }

    /// Whether this process may make namespaces, virtual links and packet sockets.
    package static var areAllowed: Bool {
        let probe = NetworkNamespace("st-\(getpid())-probe")
        defer { try? runIP("netns delete \(probe.name)\n") }  // Not there where it could not be made.
        return (try? runIP("netns add \(probe.name)\nlink add name a netns \(probe.name) type veth peer name b netns \(probe.name)\n"))
            != nil
    }

    /// Runs `body` on a thread that is in the namespace and waits for it: sockets that it opens stay there.
    package func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
        let visit = Visit { [path = "\(Self.folder)/\(name)", name] in
            guard clab_enter_namespace(path) == 0 else { throw SystemError("setns", on: name) }
            return try body()
        }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(visit)
        let code = pthread_create(&thread, nil, visitNamespace, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw SystemError("pthread_create", code)
        }
        pthread_join(thread, nil)
        guard let outcome = visit.outcome, let result = try outcome.get() as? Result else {
            preconditionFailure("the thread that was joined has left its outcome")
        }
        return result
    }

    /// The command that starts a program inside.
    package func command(_ arguments: [String]) -> [String] { ["ip", "netns", "exec", name] + arguments }

    /// Removes namespaces whose maker is gone: those named `st-<pid>-<text>` without such a process.
    /// Their virtual links go with them.
    package static func sweep() throws {
        guard let entries = opendir(folder) else { return }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            let parts = name.split(separator: "-")
            guard parts.count == 3, parts[0] == "st", let pid = pid_t(parts[1]), kill(pid, 0) != 0, errno == ESRCH else { continue }
            try runIP("netns delete \(name)\n")
            NetworkNamespace(name).removeFiles()
        }
    }
}

/// What a visiting thread does and leaves behind; touched by the thread, and by the one that joins it after that.
private final class Visit: @unchecked Sendable {
    private let body: @Sendable () throws -> any Sendable
    var outcome: Result<any Sendable, any Error>?

    init(_ body: @escaping @Sendable () throws -> any Sendable) { self.body = body }

    func run() { outcome = Result { try body() } }
}

private func visitNamespace(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<Visit>.fromOpaque(context).takeRetainedValue().run()
    return nil
}

/// `ip` said no.
package struct IPError: Error, CustomStringConvertible {
    package let text: String
    package var description: String { "ip: \(text)" }
}

/// Runs commands of `ip`, one a line, in this namespace or in another.
func runIP(_ lines: String, in namespace: NetworkNamespace? = nil) throws {
    var input: [CInt] = [0, 0]
    var output: [CInt] = [0, 0]
    guard pipe(&input) == 0 else { throw SystemError("pipe") }
    guard pipe(&output) == 0 else { throw SystemError("pipe") }
    for end in input + output { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let arguments = ["ip"] + (namespace.map { ["-n", $0.name] } ?? []) + ["-batch", "-"]
    let pointers = arguments.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    var pid: pid_t = 0
    let code = clab_spawn(&pid, "ip", pointers, environ, input[0], -1, output[1], nil)
    close(input[0])
    close(output[1])
    defer { close(output[0]) }
    guard code == 0 else {
        close(input[1])
        throw SystemError("posix_spawn", code, on: "ip")
    }
    // Fewer bytes than a pipe holds.
    _ = Array(lines.utf8).withUnsafeBytes { write(input[1], $0.baseAddress, $0.count) }
    close(input[1])
    var said: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let size = read(output[0], &buffer, buffer.count)
        guard size > 0 else { break }
        said += buffer[..<size]
    }
    var status: CInt = 0
    waitpid(pid, &status, 0)
    guard status == 0 else {
        throw IPError(text: String(decoding: said, as: UTF8.self).split(separator: "\n").joined(separator: "; "))
    }
}
