import CNetlink
import Glibc
import Posix

extension RouteSocket {
    /// Reads all routes or all rules; the kernel writes each part of its answer when it is read, so this does not wait.
    /// - Throws: `SystemError`; EAGAIN where they changed meanwhile.
    package static func list(_ listing: Listing) throws -> [RouteMessage] {
        let flags = CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard let socket = mnl_socket_open2(NETLINK_ROUTE, flags) else { throw SystemError("mnl_socket_open2") }
        defer { mnl_socket_close(socket) }
        guard mnl_socket_bind(socket, 0, pid_t(MNL_SOCKET_AUTOPID)) == 0 else { throw SystemError("mnl_socket_bind") }
        var buffer = [UInt64](repeating: 0, count: 8192)
        return try buffer.withUnsafeMutableBytes { bytes in
            guard let header = mnl_nlmsg_put_header(bytes.baseAddress) else { throw SystemError("mnl_nlmsg_put_header") }
            header.pointee.nlmsg_type = UInt16(listing == .routes ? Int(RTM_GETROUTE) : Int(RTM_GETRULE))
            header.pointee.nlmsg_flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
            // Family 0 in both: IPv4 and IPv6.
            mnl_nlmsg_put_extra_header(header, listing == .routes ? MemoryLayout<rtmsg>.size : MemoryLayout<fib_rule_hdr>.size)
            guard mnl_socket_sendto(socket, header, Int(header.pointee.nlmsg_len)) >= 0 else { throw SystemError("mnl_socket_sendto") }
            var messages: [RouteMessage] = []
            while true {
                let count = mnl_socket_recvfrom(socket, bytes.baseAddress, bytes.count)
                guard count >= 0 else { throw SystemError("mnl_socket_recvfrom") }
                for message in RouteParser.messages(in: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<count])) {
                    switch message {
                    case .done: return messages
                    case .failed(let code): throw SystemError("RTM_GETROUTE", CInt(code == Int(EINTR) ? Int(EAGAIN) : code))
                    default: messages.append(message)
                    }
                }
            }
        }
    }
}
