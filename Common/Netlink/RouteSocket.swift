import CNetlink
import Glibc
import Posix

/// A socket that hears of every change of links and addresses, and can ask for all of them. One thread.
package final class RouteSocket {
    package enum Dump: Sendable { case links, addresses }
    /// What can be read at once, beside that.
    package enum Listing: Sendable { case routes, rules }

    private let socket: OpaquePointer
    private let buffer: UnsafeMutableRawBufferPointer
    private var sequence: UInt32 = 0

    /// To watch for reading.
    package var descriptor: CInt { mnl_socket_get_fd(socket) }

    /// Opens and subscribes: changes are heard from here on. Throws `SystemError`.
    /// - Parameter hearsRoutes: of changes of routes and rules, and of nothing else.
    package init(hearsRoutes: Bool = false) throws {
        let flags = CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard let socket = mnl_socket_open2(NETLINK_ROUTE, flags) else { throw SystemError("mnl_socket_open2") }
        let groups = UInt32(
            hearsRoutes ? RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE : RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)
        guard mnl_socket_bind(socket, groups, pid_t(MNL_SOCKET_AUTOPID)) == 0 else {
            let error = SystemError("mnl_socket_bind")
            mnl_socket_close(socket)
            throw error
        }
        if hearsRoutes {
            // Groups over 31 have no bit in the address. A kernel without policy routing has no such groups, and nothing to say there.
            for group in [RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE] {
                var number = CInt(group.rawValue)
                _ = mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &number, socklen_t(MemoryLayout<CInt>.size))
            }
        }
        self.socket = socket
        // The kernel fills at most 32 kB of a dump; a page less would cut messages (MSG_TRUNC).
        buffer = .allocate(byteCount: 65536, alignment: 8)
    }

    deinit {
        mnl_socket_close(socket)
        buffer.deallocate()
    }

    /// Asks for all links or all addresses; the answer ends with `.done`. One dump at a time.
    package func request(_ dump: Dump) throws {
        var request = [UInt32](repeating: 0, count: 16)
        let code = request.withUnsafeMutableBytes { bytes -> Int in
            guard let header = mnl_nlmsg_put_header(bytes.baseAddress) else { return -1 }
            sequence &+= 1
            header.pointee.nlmsg_type = UInt16(dump == .links ? Int(RTM_GETLINK) : Int(RTM_GETADDR))
            header.pointee.nlmsg_flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
            header.pointee.nlmsg_seq = sequence
            // Family 0 in both `ifinfomsg` and `ifaddrmsg`: all of them.
            mnl_nlmsg_put_extra_header(header, dump == .links ? MemoryLayout<ifinfomsg>.size : MemoryLayout<ifaddrmsg>.size)
            return mnl_socket_sendto(socket, header, Int(header.pointee.nlmsg_len))
        }
        guard code >= 0 else { throw SystemError("mnl_socket_sendto") }
    }

    package enum Received: Sendable {
        case messages([RouteMessage])
        case nothing
        /// The kernel dropped messages because they were not read in time (ENOBUFS): ask for everything again.
        case overrun
    }

    /// Takes one batch of messages; does not wait.
    package func receive() throws -> Received {
        let count = mnl_socket_recvfrom(socket, buffer.baseAddress, buffer.count)
        if count >= 0 {
            return .messages(RouteParser.messages(in: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])))
        }
        switch errno {
        case EAGAIN, EINTR: return .nothing
        case ENOBUFS, ENOSPC: return .overrun
        default: throw SystemError("mnl_socket_recvfrom")
        }
    }
}
