import Foundation
import Glibc

/// A real nginx of our own on Unix sockets in a temporary folder: a front that proxies to a back, which answers what it saw.
///
/// What reaches the back went through nginx's parser, its body reader and its writer.
final class Nginx {
    private let folder: URL
    private var front: String { folder.appendingPathComponent("front").path }

    init() throws {
        folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(
            "strata-nginx-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let configuration = """
            master_process off;
            pid \(folder.path)/pid;
            error_log \(folder.path)/error.log;
            events { worker_connections 256; }
            http {
                access_log off;
                client_body_temp_path \(folder.path)/body;
                proxy_temp_path \(folder.path)/proxy;
                fastcgi_temp_path \(folder.path)/f;
                uwsgi_temp_path \(folder.path)/u;
                scgi_temp_path \(folder.path)/s;
                client_max_body_size 0;
                keepalive_timeout 5;
                lingering_close off;
                server {
                    listen unix:\(folder.path)/front;
                    location / { proxy_pass http://unix:\(folder.path)/back; proxy_set_header Host $http_host; }
                }
                server {
                    listen unix:\(folder.path)/back;
                    location / { add_header X-Saw "$request_method $request_uri $content_length" always; return 200 "x"; }
                }
            }
            """
        try configuration.write(to: folder.appendingPathComponent("nginx.conf"), atomically: true, encoding: .utf8)
        // It goes into the background once its sockets listen: nothing to wait for.
        // By posix_spawn: Foundation's Process waits until the daemon, too, has closed what it inherited.
        let arguments = [
            "nginx", "-p", folder.path, "-c", folder.appendingPathComponent("nginx.conf").path, "-e", folder.path + "/error.log",
        ]
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [0, 1, 2] as [CInt] { posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0) }
        var pid: pid_t = 0
        guard posix_spawn(&pid, "/usr/sbin/nginx", &actions, nil, &pointers, environ) == 0 else {
            throw Failure(text: "nginx cannot be started")
        }
        var status: CInt = 0
        guard waitpid(pid, &status, 0) == pid, status == 0 else { throw Failure(text: "nginx did not start: \(status)") }
    }

    deinit {
        if let text = try? String(contentsOf: folder.appendingPathComponent("pid"), encoding: .utf8),
            let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))
        {
            // One process without state. Not SIGTERM: it inherited the mask of a thread that blocks signals.
            kill(pid, SIGKILL)
        }
        try? FileManager.default.removeItem(at: folder)
    }

    struct Failure: Error { let text: String }

    /// Sends these bytes and returns all that comes back until nginx closes; the sending side is shut down behind them.
    func exchange(_ bytes: [UInt8]) throws -> [UInt8] {
        let socket = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var time = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: front.utf8) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard connected == 0 else { throw Failure(text: "connect: \(errno)") }
        guard send(socket, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count else { throw Failure(text: "send: \(errno)") }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            // A reset after a refusal ends the answer as a close does.
            if count == 0 || (count < 0 && errno == ECONNRESET) { return answer }
            guard count > 0 else { throw Failure(text: "recv: \(errno) after \(String(decoding: answer, as: UTF8.self))") }
            answer.append(contentsOf: buffer[..<count])
        }
    }
}
