import Foundation

/// nginx in front of control as its users set it up: it ends TLS, and passes requests and WebSockets on with the caller's address.
///
/// Its configuration is the one of `Control/README.md`.
package struct ReverseProxy: Sendable {
    package let port: Int
    private let program: RunningProgram

    /// - Parameters:
    ///   - port: on 127.0.0.1.
    ///   - page: control's own port for plain HTTP.
    ///   - authority: the folder with `chain.pem` and `key.pem`.
    package init(on stage: Stage, port: Int, page: Int, authority: String) async throws {
        self.port = port
        let folder = try stage.folder.makeFolder("proxy")
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }
        let configuration = """
            \(geteuid() == 0 ? "user root;" : "")
            daemon off;
            worker_processes 1;
            pid \(folder)/nginx.pid;
            error_log stderr notice;
            events { worker_connections 256; }
            http {
                access_log off;
                \(temporary.joined(separator: " "))
                map $http_upgrade $connection_upgrade { default upgrade; "" close; }
                server {
                    listen 127.0.0.1:\(port) ssl;
                    ssl_certificate \(authority)/chain.pem;
                    ssl_certificate_key \(authority)/key.pem;
                    location / {
                        proxy_pass http://127.0.0.1:\(page);
                        proxy_http_version 1.1;
                        proxy_set_header Host $http_host;
                        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                        proxy_set_header X-Forwarded-Proto $scheme;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection $connection_upgrade;
                        proxy_read_timeout 1h;
                    }
                }
            }
            """
        let file = try stage.folder.write(configuration, to: "proxy/nginx.conf")
        let program = try stage.start("nginx", ["-p", folder, "-c", file, "-e", "stderr"])
        self.program = program
        try await eventually(within: .seconds(10), "nginx listens; it said:\n\(program.tail)") {
            if program.ending != nil { throw SupportFailure(program.tail) }
            return try await runTool("curl", ["-sk", "https://127.0.0.1:\(port)/health"], mayFail: true).status == 0
        }
    }

    package func stop() async throws { try await program.stop() }
}
