import CV4L2
import Glibc

/// The only ways in which this module touches the machine; a test puts recorded bytes in their place.
package struct DeviceCalls: Sendable {
    /// Paths of the video devices, in the order of their numbers.
    package var list: @Sendable () -> [String]
    /// Opens a device. Returns its descriptor, or -1 where it is gone or forbidden.
    package var open: @Sendable (String) -> Int32
    package var close: @Sendable (Int32) -> Void
    /// ioctl(2): descriptor, request, the structure that goes in and comes back. Returns 0 or errno.
    package var control: @Sendable (Int32, UInt, UnsafeMutableRawPointer) -> Int32

    package init(
        list: @escaping @Sendable () -> [String], open: @escaping @Sendable (String) -> Int32,
        close: @escaping @Sendable (Int32) -> Void, control: @escaping @Sendable (Int32, UInt, UnsafeMutableRawPointer) -> Int32
    ) {
        self.list = list
        self.open = open
        self.close = close
        self.control = control
    }

    /// The machine's own devices.
    package static let system = DeviceCalls(
        list: { DeviceCalls.videoNodes(in: "/dev") },
        open: { Glibc.open($0, O_RDWR | O_NONBLOCK | O_CLOEXEC) },
        close: { _ = Glibc.close($0) },
        control: { descriptor, request, argument in
            strata_ioctl(descriptor, request, argument) == 0 ? 0 : errno
        })

    /// `video0`, `video1`, …: at most 64, as the kernel's minor numbers are. Empty where the folder cannot be read.
    static func videoNodes(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var numbers: [Int] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard name.hasPrefix("video"), let number = Int(name.dropFirst(5)), number >= 0 else { continue }
            numbers.append(number)
        }
        return numbers.sorted().prefix(64).map { "\(folder)/video\($0)" }
    }
}
