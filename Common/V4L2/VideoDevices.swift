import CV4L2

/// Finds cameras, grabbers and hardware encoders by asking the kernel.
///
/// Source: the kernel's "Video for Linux API", VIDIOC_QUERYCAP, ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS.
package enum VideoDevices {
    /// The devices of the machine, in the order of their numbers. Devices that cannot be opened or answer nonsense are left out.
    ///
    /// Opens each device: not on a thread that must not wait.
    package static func all(_ calls: DeviceCalls = .system) -> [VideoDevice] {
        calls.list().compactMap { path in
            // A device that vanishes between the listing and the opening, or belongs to somebody else, is not ours to offer.
            let descriptor = calls.open(path)
            guard descriptor >= 0 else { return nil }
            defer { calls.close(descriptor) }
            return Inquiry(descriptor: descriptor, calls: calls).device(path)
        }
    }

    /// Whether the input of a grabber has a signal, beside whoever takes pictures of it; nil where the device does not say, or is gone.
    ///
    /// Source: the same, VIDIOC_G_INPUT and VIDIOC_ENUMINPUT, "Input Status Flags".
    package static func hasSignal(_ path: String, _ calls: DeviceCalls = .system) -> Bool? {
        let descriptor = calls.open(path)
        guard descriptor >= 0 else { return nil }
        defer { calls.close(descriptor) }
        return Inquiry(descriptor: descriptor, calls: calls).hasSignal
    }
}

/// Questions to one open device. Every list has a bound: a driver that never says "no more" does not hang us.
private struct Inquiry {
    let descriptor: Int32
    let calls: DeviceCalls

    private static let maximumModes = 256
    private static let maximumEntries: UInt32 = 64

    func device(_ path: String) -> VideoDevice? {
        var capability = v4l2_capability()
        guard ask(strata_querycap, &capability) else { return nil }
        // With DEVICE_CAPS set, `device_caps` speaks of this node; `capabilities` of the whole device with its metadata nodes.
        let all = capability.capabilities
        let bits = all & 0x8000_0000 != 0 ? capability.device_caps : all
        guard let role = role(bits) else { return nil }
        return VideoDevice(
            path: path, driver: text(capability.driver), card: text(capability.card), bus: text(capability.bus_info), role: role)
    }

    var hasSignal: Bool? {
        var index: Int32 = 0
        guard ask(strata_get_input, &index) else { return nil }
        var input = v4l2_input()
        input.index = UInt32(bitPattern: index)
        guard ask(strata_enum_input, &input) else { return nil }
        return input.status & strata_no_signal == 0
    }

    private func role(_ bits: UInt32) -> VideoDevice.Role? {
        let streams = bits & UInt32(V4L2_CAP_STREAMING) != 0
        if bits & UInt32(V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE) != 0 {
            let planar = bits & UInt32(V4L2_CAP_VIDEO_M2M_MPLANE) != 0
            let type = planar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE
            let made = formats(type).map(fourCC).filter { $0 == "H264" || $0 == "HEVC" }
            return made.isEmpty ? nil : .encoder(made)
        }
        guard streams, bits & UInt32(V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE) != 0 else { return nil }
        let planar = bits & UInt32(V4L2_CAP_VIDEO_CAPTURE) == 0
        return .capture(modes(planar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE))
    }

    /// Stops asking when there are enough.
    private func modes(_ type: v4l2_buf_type) -> [VideoDevice.Mode] {
        var found: [VideoDevice.Mode] = []
        for format in formats(type) {
            for size in sizes(of: format) {
                found += rates(of: format, size).map { rate in
                    VideoDevice.Mode(
                        format: fourCC(format), width: Int(size.width), height: Int(size.height), frames: Int(rate.denominator),
                        frameSeconds: Int(rate.numerator))
                }
                if found.count >= Inquiry.maximumModes { return Array(found.prefix(Inquiry.maximumModes)) }
            }
        }
        return found
    }

    private func formats(_ type: v4l2_buf_type) -> [UInt32] {
        var found: [UInt32] = []
        for index in 0..<Inquiry.maximumEntries {
            var format = v4l2_fmtdesc()
            format.index = index
            format.type = type.rawValue
            guard ask(strata_enum_fmt, &format) else { break }
            found.append(format.pixelformat)
        }
        return found
    }

    private func sizes(of format: UInt32) -> [v4l2_frmsize_discrete] {
        var found: [v4l2_frmsize_discrete] = []
        for index in 0..<Inquiry.maximumEntries {
            var size = v4l2_frmsizeenum()
            size.index = index
            size.pixel_format = format
            guard ask(strata_enum_framesizes, &size) else { break }
            guard size.type == V4L2_FRMSIZE_TYPE_DISCRETE.rawValue else { return StepwiseSizes(size.stepwise).usual }
            found.append(size.discrete)
        }
        return found
    }

    /// As intervals: seconds per frame. One of 0/0 where the device does not say.
    private func rates(of format: UInt32, _ size: v4l2_frmsize_discrete) -> [v4l2_fract] {
        var found: [v4l2_fract] = []
        for index in 0..<Inquiry.maximumEntries {
            var interval = v4l2_frmivalenum()
            interval.index = index
            interval.pixel_format = format
            interval.width = size.width
            interval.height = size.height
            guard ask(strata_enum_frameintervals, &interval) else { break }
            guard interval.type == V4L2_FRMIVAL_TYPE_DISCRETE.rawValue else { return StepwiseRates(interval.stepwise).usual }
            if interval.discrete.numerator > 0, interval.discrete.denominator > 0 { found.append(interval.discrete) }
        }
        return found.isEmpty ? [v4l2_fract(numerator: 0, denominator: 0)] : found
    }

    private func ask<Question>(_ request: UInt, _ question: inout Question) -> Bool {
        withUnsafeMutablePointer(to: &question) { calls.control(descriptor, request, UnsafeMutableRawPointer($0)) == 0 }
    }

    /// Four characters, the last with its top bit for big endian formats cut off; others than printable ones become `?`.
    private func fourCC(_ format: UInt32) -> String {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: format >> (8 * $0)) & 0x7f }
        return String(decoding: bytes.map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    /// A fixed field of characters, up to its NUL, which a driver may have left out.
    private func text<Field>(_ field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// The usual picture sizes within a range that the device gives by steps.
private struct StepwiseSizes {
    private let range: v4l2_frmsize_stepwise
    init(_ range: v4l2_frmsize_stepwise) { self.range = range }

    private static let candidates: [(UInt32, UInt32)] = [
        (640, 360), (640, 480), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160),
    ]

    /// The largest too, where no usual size fits.
    var usual: [v4l2_frmsize_discrete] {
        let fitting = StepwiseSizes.candidates.filter { width, height in
            fits(width, range.min_width, range.max_width, range.step_width)
                && fits(height, range.min_height, range.max_height, range.step_height)
        }
        .map { v4l2_frmsize_discrete(width: $0.0, height: $0.1) }
        return fitting.isEmpty ? [v4l2_frmsize_discrete(width: range.max_width, height: range.max_height)] : fitting
    }

    private func fits(_ value: UInt32, _ least: UInt32, _ most: UInt32, _ step: UInt32) -> Bool {
        value >= least && value <= most && (value - least) % max(1, step) == 0
    }
}

/// The usual frame rates within a range of intervals.
private struct StepwiseRates {
    private let range: v4l2_frmival_stepwise
    init(_ range: v4l2_frmival_stepwise) { self.range = range }

    private static let candidates: [(UInt32, UInt32)] = [(1, 15), (1, 24), (1, 25), (1, 30), (1, 50), (1, 60)]

    /// The shortest interval too, where no usual rate fits.
    var usual: [v4l2_fract] {
        let fitting = StepwiseRates.candidates.map { v4l2_fract(numerator: $0.0, denominator: $0.1) }
            .filter { !isLess($0, range.min) && !isLess(range.max, $0) }
        let least = range.min
        guard fitting.isEmpty else { return fitting }
        return least.numerator > 0 && least.denominator > 0 ? [least] : []
    }

    private func isLess(_ left: v4l2_fract, _ right: v4l2_fract) -> Bool {
        UInt64(left.numerator) * UInt64(right.denominator) < UInt64(right.numerator) * UInt64(left.denominator)
    }
}
