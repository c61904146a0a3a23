# 简体中文消息。标识以所在模块为前缀；与 en.ftl 的标识和变量一致。

# ---- wallet ----
wallet-error = 错误：
wallet-remedy = 处理办法：
wallet-place-byte = 第 { $offset } 字节处
wallet-place-cut = 共 { $expected } 字节，仅存 { $length } 字节
wallet-ask-passphrase = 保险库口令：
wallet-ask-new-passphrase = 为新保险库设置口令（至少 8 个字符）：
wallet-ask-passphrase-again = 请再输入一次：
wallet-ask-tx-code = 签发方给您的验证码：

wallet-note-tail = 保险库中一次未完成的写入已略去（{ $bytes } 字节）。此前存入的内容不受影响。
wallet-note-completed = 保险库中一次被中断的写入经检查是完整的，已保留。
wallet-note-slot = 保险库文件有一处损坏，但内容完整。请立即备份，并检查磁盘。

wallet-init-done = 已在 { $dir } 创建保险库。
wallet-init-ledger = 账本：{ $origin }
wallet-init-backup = 保险库没有其他副本；没有口令，任何人都无法打开。可用 xinfu-wallet backup 生成备份。

wallet-received = 已收到第 { $number } 号：{ $type }，签发方 { $issuer }
wallet-received-claims = 内容项：{ $claims }
wallet-issuer-accredited = 账本记载签发方有权签发此类凭证。
wallet-issuer-not-accredited = 账本未授权签发方签发此类凭证：验证方会拒绝它。
wallet-issuer-unknown = 无法向账本查询签发方是否有权签发此类凭证。
wallet-anchor-here = 它在账本上的锚定证明已取得，验证通过。
wallet-anchor-later = 它在账本上的锚定证明尚未就绪，以后会自动获取。
wallet-anchor-bad = 签发方给出的锚定证明不成立。凭证已保留，请联系签发方。

wallet-list-empty = 保险库中没有凭证。
wallet-list-number = 编号
wallet-list-type = 类型
wallet-list-issuer = 签发方
wallet-list-received = 收到时间（UTC）
wallet-list-anchored = 已锚定
wallet-yes = 是
wallet-no = 否
wallet-not-yet = 尚未

wallet-status-head = 状态
wallet-status-issuer-head = 签发方有权签发
wallet-status-list-head = 状态列表时间（UTC）
wallet-status-valid = 有效
wallet-status-revoked = 已吊销
wallet-status-suspended = 已暂停
wallet-status-other = 无效
wallet-status-undetermined = 无法确定
wallet-status-expired = 已过期
wallet-status-not-yet = 尚未生效
wallet-status-list = { $time }，{ $age }
wallet-status-no-list = 未取得
wallet-status-revoked-why = 第 { $number } 号已被签发方吊销，验证方会拒绝它。请向签发方申请新的凭证。
wallet-status-suspended-why = 第 { $number } 号已被签发方暂停，目前无效。请向签发方询问何时恢复。
wallet-status-other-why = 第 { $number } 号的状态只有签发方能够解释，验证方会拒绝它。
wallet-status-undetermined-why = 第 { $number } 号的状态目前无法确定，这并不表示已被吊销。{ $reason }
wallet-status-issuer-not-accredited = 第 { $number } 号：账本目前未授权其签发方签发此类凭证；只有此前已锚定的凭证仍然有效。
wallet-status-issuer-other-address = 第 { $number } 号：账本上签名者登记的地址与凭证所写的不同，验证方会拒绝它。
wallet-status-issuer-gone = 第 { $number } 号：账本上已没有其签发方。请向接管其职责的机构申请新的凭证。
wallet-status-small = 第 { $number } 号：其状态列表仅有 { $entries } 个条目，提供列表的一方可以猜出是谁在查询。
wallet-status-no-ledger = 账本未能回答全部查询：{ $reason }
wallet-status-privacy = 已为全部凭证获取完整的状态列表：提供列表的一方无法得知您持有哪些凭证。
wallet-age-now = 刚刚
wallet-age-minutes = { $count } 分钟前
wallet-age-hours = { $count } 小时前
wallet-age-days = { $count } 天前

wallet-show-issuer = 签发方
wallet-show-received = 收到时间（UTC）
wallet-show-anchored = 已锚定

wallet-ask-who = 请求方
wallet-ask-unknown-name = （账本上没有名称）
wallet-ask-ledger = 账本记载
wallet-ask-accredited = 已获授权，可请求以下全部内容（截至 { $time } UTC）
wallet-ask-beyond = 未获授权请求这些内容
wallet-ask-beyond-type = 无权请求此类凭证：{ $type }
wallet-ask-beyond-claims = 对“{ $type }”请求的内容超出授权：{ $claims }
wallet-ask-beyond-purpose = 可以请求“{ $type }”，但不得用于此目的
wallet-ask-purpose = 用途
wallet-ask-no-purpose = （未说明）
wallet-ask-destination = 发送至
wallet-ask-from = 出自{ $type }（第 { $number } 号，签发方 { $issuer }）
wallet-ask-leaves = 将出示
wallet-ask-stays = 不出示
wallet-ask-nothing = （无）
wallet-ask-always = 始终可见
wallet-ask-always-what = 类型、签发方、有效期、状态条目，以及仅属于此凭证的密钥
wallet-ask-seen = 此凭证曾出示给：{ $askers }。各方合谋即可认出是同一份。
wallet-ask-others = 第 { $numbers } 号也符合；可用 --select { $query }=编号 选用
wallet-ask-more = 第 { $numbers } 号也符合；可出示多份，每份各用一个 --select { $query }=编号
wallet-ask-optional = 并非必需，但请求方希望得到（{ $number }）：
wallet-ask-optional-confirm = 是否一并出示非必需的内容（{ $number }）？输入“是”或 yes 表示加上，其他一律不出示。[否]
wallet-ask-instead = 也可改用以下凭证答复：{ $types }（{ $choice }）
wallet-ask-linkable = 同一凭证出示两次，可被认出是同一份。
wallet-ask-confirm = 是否出示？输入“是”或 yes 表示同意，其他一律视为不同意。[否]
wallet-declined = 未出示任何内容。
wallet-declined-no-terminal = 未出示任何内容：没有可供询问的终端。脚本请使用 --yes。
wallet-shared = 已出示，{ $asker } 已接受。
wallet-go-on = 请在发起请求的浏览器中继续：{ $url }
wallet-go-on-by-hand = 此处无法打开浏览器：请立即自行打开该地址，它仅在几分钟内有效。
wallet-go-on-unsafe = 服务还给出了一个后续地址，但它不是安全的 https 地址，因此不予显示。请自行返回该服务的页面。

wallet-history-empty = 此保险库从未出示过任何内容。
wallet-history-purpose = 用途
wallet-history-claims = { $type }（第 { $number } 号）：{ $claims }
wallet-outcome-accepted = 已接受
wallet-outcome-refused = 被拒绝
wallet-outcome-unknown = 没有收到答复，可能已送达

wallet-help-about = 加密保管您的凭证，只向他人出示您允许的内容
wallet-help-init = 创建新的保险库
wallet-help-receive = 接收签发方提供的凭证
wallet-help-status = 查询凭证是否仍然有效，而不让任何人知道是哪些凭证
wallet-help-list = 列出持有的凭证
wallet-help-show = 显示一份凭证的全部内容
wallet-help-present = 答复出示请求；先显示请求方是谁、将出示什么
wallet-help-history = 列出迄今出示过的全部内容
wallet-help-any-vault = 保险库所在目录 [默认：~/.xinfu-wallet]
wallet-help-any-passphrase-file = 从此文件的第一行读取口令，文件须仅本人可读（权限 0600）
wallet-help-any-passphrase-fd = 从此已打开的文件描述符的第一行读取口令
wallet-help-any-json = 在标准输出上以一个 JSON 对象作答
wallet-help-init-ledger = 账本节点的地址
wallet-help-init-trust-root = 账本的信任根（tlog-policy 文件）；没有它，节点所说的一概不信
wallet-help-init-ca = HTTPS 所用的证书颁发机构，PEM 文件 [默认：系统自带]
wallet-help-init-client-ca = 请求出示的服务所用的证书颁发机构，PEM 文件 [默认：只凭 DID 识别服务]
wallet-help-init-allow-private = 允许访问的内网主机，形如 host 或 host:port；可重复
wallet-help-init-plain = 对上述主机也允许明文 HTTP，仅供调试
wallet-help-receive-offer = 签发邀约：openid-credential-offer:// 链接
wallet-help-receive-qr = 代替链接：含有签发邀约二维码的图片（PNG 或 JPEG）
wallet-help-receive-bind = 凭证指明您密钥的方式：直接写明（jwk，默认）或以 did:key 写明（did）
wallet-help-receive-tx-code = 签发方通过其他途径给您的验证码 [默认：询问]
wallet-help-show-number = 凭证编号，见 `list`
wallet-help-present-request = 出示请求：openid4vp:// 链接
wallet-help-present-qr = 代替链接：含有出示请求二维码的图片（PNG 或 JPEG）
wallet-help-present-open = 出示后在浏览器中打开服务给出的后续地址 [默认：仅显示]
wallet-help-present-yes = 不再询问，直接出示。请求方超出授权时仍会拒绝
wallet-help-present-select = 用指定编号的凭证答复请求中的某一项；可重复
wallet-help-exit-codes =
    退出码：
      0  完成
      1  本程序或本机故障
      2  无法理解命令行
      3  保险库无法打开或写入
      4  被签发方、验证方或本钱包的规则拒绝
      5  您未同意；没有内容离开保险库
      6  对方无法联系，请稍后再试
      7  保险库中没有符合要求的凭证
# ---- the vault's life ----
wallet-place-word = 第 { $number } 个词
wallet-phrase-show = 恢复词。仅凭这十二个词即可打开即将生成的文件。请按顺序抄写在纸上：
wallet-phrase-written = 十二个词全部抄好后按回车键，它们随即移出屏幕。
wallet-phrase-again = 请照纸上输入十二个词：
wallet-phrase-ask = 恢复词（十二个）：
wallet-phrase-slip = { $what }。请再试一次。
wallet-backup-done = 已生成备份：{ $file }。其中凭证数：{ $credentials }。
wallet-backup-keep = 文件与纸张请分开保管：两者合在一起即可打开全部内容。之后新增的内容不在其中，届时请再次备份。
wallet-restore-done = 保险库已恢复到 { $dir }。凭证：{ $credentials }；共享记录：{ $sharings }。
wallet-restore-note = 该保险库恢复自 { $made } UTC 的备份，共 { $records } 条记录。此后收到或共享的内容不在其中；凭证此后可能已出示过，再次出示可被关联。
wallet-restore-ca = 本机没有证书颁发机构文件 { $file }。请用 --ca 重新恢复，或将该文件放到此处。
wallet-passwd-done = 保险库已换用新口令，旧口令不再能打开它。
wallet-passwd-copies = 保险库文件的旧副本仍可用旧口令打开；备份仍可用其恢复词打开。
wallet-remove-what = 将移除：{ $type }（编号 { $number }，由 { $issuer } 签发）及其密钥。签发方不会得知，凭证依然有效；除备份外无人能找回。
wallet-remove-confirm = 确定移除？输入“是”则移除，其他任何输入均保留。[否]
wallet-remove-done = 已移除：{ $type }（编号 { $number }，由 { $issuer } 签发）。其共享记录仍保留在历史中。
wallet-remove-copies = 此前的备份和保险库副本中仍有该凭证。
wallet-help-backup = 为全部内容生成加密备份，以及唯一能打开它的恢复词
wallet-help-backup-file = 要生成的备份文件，须尚不存在
wallet-help-backup-phrase-file = 将恢复词写入这个新的私有文件，而不在终端显示
wallet-help-backup-phrase-fd = 将恢复词写入该已打开的文件描述符
wallet-help-restore = 由备份恢复保险库
wallet-help-restore-file = 备份文件
wallet-help-restore-phrase-file = 从该文件读取恢复词，文件须仅本人可读（权限 0600）
wallet-help-restore-phrase-fd = 从该已打开的文件描述符的第一行读取恢复词
wallet-help-restore-ca = 本机上 HTTPS 证书颁发机构文件的位置（若与原先不同）
wallet-help-passwd = 更换保险库口令
wallet-help-passwd-new-passphrase-file = 从该文件第一行读取新口令，文件须仅本人可读（权限 0600）
wallet-help-passwd-new-passphrase-fd = 从该已打开的文件描述符的第一行读取新口令
wallet-help-passwd-memory = 每猜一次口令所需内存，单位 MiB，19 至 1024 [默认：不变]
wallet-help-passwd-passes = 对该内存的遍数，2 至 16 [默认：不变]
wallet-help-remove = 永久移除一份凭证及其密钥
wallet-help-remove-number = 凭证编号，见 `list`
wallet-help-remove-yes = 不询问，直接移除
wallet-place-older = { $time } UTC 时共有 { $records } 条记录
wallet-note-memory = 本机未能记住保险库的进度；若有人放回旧副本将不会被发现。请检查状态目录（$XDG_STATE_HOME 或 ~/.local/state）。
wallet-doctor-torn-tail = 文件末尾有一次未完成的写入。
wallet-doctor-write-completed = 一次被中断的写入内容完整，但尚未提交。
wallet-doctor-slot-damaged = 两个提交槽之一已损坏；另一个及全部记录均完好。
wallet-doctor-directory-open = 本机其他用户可查看保险库所在目录。
wallet-doctor-file-open = 本机其他用户可读写保险库文件；请考虑谁可能已复制过它。
wallet-doctor-draft = 一次被中断的写入留下了草稿：{ $file }
wallet-doctor-record = 第 { $number } 条记录由更新的版本创建：请升级本程序。
wallet-doctor-older = 该文件比本机在 { $time } UTC 见到的旧：当时有 { $records } 条记录。请先寻找最新的文件。
wallet-doctor-other = 该文件与本机上次见到的不是同一份：两份副本曾被分别改动。
wallet-doctor-take = 修复即按现状采用此文件：仅存于另一份中的内容将丢失，凭证其后可能已出示过。
wallet-doctor-memory = 本机对该保险库的记忆已损坏；在用 doctor 修复之前，放回旧副本将不会被发现。
wallet-doctor-hopeless = { $title }。{ $remedy }
wallet-doctor-confirm = 修复此项？输入“是”则修复，其他任何输入均不改动。[否]
wallet-doctor-mended = 已修复：{ $what }
wallet-doctor-mendable = 有问题，可修复（请在终端运行 doctor，或加 --yes）：{ $what }
wallet-doctor-unmendable = 有问题，此处无法修复：{ $what }
wallet-doctor-well = 保险库一切正常。
wallet-doctor-ill = 保险库仍有问题。
wallet-help-doctor = 检查保险库的问题，并修复可安全修复者
wallet-help-doctor-yes = 不询问，修复全部可修复的问题，并将旧文件当作当前文件
wallet-move-out = 已生成转移文件：{ $file }。凭纸上的恢复词即可在新设备上打开。
wallet-move-next = 在新设备上运行：xinfu-wallet move --in 文件。它会显示确认码，请在此输入：xinfu-wallet move --confirm 确认码。随后本设备将被清空。
wallet-move-frozen = 在此之前，本保险库仅可查看，不能接收、共享或移除。若要留在本设备：xinfu-wallet move --cancel。
wallet-move-done = 保险库已转移。本设备已清空。
wallet-move-copies = 请删除转移文件并销毁纸张：两者合在一起仍可打开全部内容。此前的备份与副本亦然。
wallet-move-cancelled = 保险库留在本设备。若新设备已打开转移文件，则两处都有此保险库：请在新设备上删除，并删除转移文件。
wallet-move-leaving = 自 { $time } UTC 起正在转移。请用 --confirm 输入新设备的确认码，或用 --cancel 取消。
wallet-move-left = 已于 { $time } UTC 转移到另一设备；此处已清空。
wallet-move-here = 保险库在本设备，没有正在进行的转移。
wallet-move-code = 给旧设备的确认码：{ $code }。请在旧设备上运行 xinfu-wallet move --confirm { $code }，之后它才会被清空。
wallet-help-move = 将保险库转移到另一设备并清空本设备；不带选项则显示转移进度
wallet-help-move-out = 在旧设备上：生成转移文件，并冻结保险库直至确认转移
wallet-help-move-into = 在新设备上：由转移文件生成保险库，并显示确认码
wallet-help-move-confirm = 在旧设备上：输入新设备显示的确认码，随后清空本保险库
wallet-help-move-cancel = 在旧设备上：取消转移，保险库留在此处
wallet-help-move-phrase-file = 将恢复词写入这个新的私有文件；配合 --in 则从中读取
wallet-help-move-phrase-fd = 将恢复词写入该已打开的文件描述符；配合 --in 则从中读取
wallet-help-move-ca = 配合 --in：本机上 HTTPS 证书颁发机构文件的位置（若与原先不同）

# ---- devnet ----
devnet-welcome = 信符开发网：本机上的一个账本、四个部门、一项服务和一个钱包
devnet-data-kept = 所有数据保存在 { $directory }
devnet-data-temporary = 所有数据位于 { $directory }，结束时删除（用 --data 目录 可保留）
devnet-continuing = 继续使用其中已有的环境
devnet-starting = 正在启动各项服务……
devnet-journey = 第一份凭证的旅程
devnet-table-step = 步骤
devnet-table-time = 用时
devnet-table-result = 结果
devnet-table-held = 成立：
devnet-table-failed = 失败：
devnet-table-total = 合计
devnet-all-held = 每一步都成立。
devnet-not-all-held = 并非每一步都成立；表格最后一行说明了原因。
devnet-step-genesis = 账本创立
devnet-step-accredit = 部门与服务获得授权
devnet-step-import = 部门读入数据表
devnet-step-issue-resident = 签发居民身份凭证
devnet-step-issue-licence = 签发营业执照凭证
devnet-step-issue-others = 签发其他类型的凭证
devnet-step-anchor = 凭证摘要已上账本
devnet-step-present = 出示三项信息并通过验证
devnet-step-verify-offline = 账本与部门停机时仍可验证
devnet-step-unaccredited-asker-refused = 超出授权的索要被拒绝
devnet-step-tamper-refused = 被篡改的出示被拒绝
devnet-step-rotate-key = 部门更换签名密钥
devnet-step-report-stolen-key = 旧密钥被报告失窃
devnet-step-revoke = 部门吊销凭证
devnet-step-revoked-refused = 已吊销的凭证被拒绝
devnet-seen-genesis = 已认证 { $entries } 条记录，{ $founders } 个创始成员均有证明
devnet-seen-accredit = { $departments } 个部门、1 项服务、{ $types } 种凭证类型，均有证明
devnet-seen-import = { $types } 种类型，每种 { $count } 个主体
devnet-seen-issued = { $issuer } 签发 1 份凭证
devnet-seen-issued-others = 其他类型的凭证 { $count } 份
devnet-seen-anchor = { $count } 份凭证已证明在账本上
devnet-seen-shown = 只出示了 { $claims }
devnet-seen-offline = 只出示了 { $claims }；账本与部门均拒绝连接
devnet-seen-wallet-refused = 钱包拒绝：{ $code }
devnet-seen-service-refused = 服务拒绝：{ $code }
devnet-seen-rotated = 现用 { $key } 签名；此前已锚定的凭证仍可验证
devnet-seen-reported = { $key } 自日志序号 { $index } 起视为失窃；此前已锚定的凭证仍可验证
devnet-seen-revoked = 已吊销凭证：{ $count } 份
devnet-up = 环境保持运行，按 Ctrl-C 停止。
devnet-up-ledger = 账本
devnet-up-verifier = 服务
devnet-up-issuer = 部门
devnet-up-admin = 管理令牌在 { $file }
devnet-up-files = 证书机构：{ $ca }   信任根：{ $trust_root }   全部地址：{ $index }
devnet-try = 如要亲手尝试，请在另一个终端、于本目录下执行：
devnet-try-offer = 4. 再发出一份签发邀请（答复中有链接和交易码）：
devnet-try-receive = 1. 领取公安部门向一位居民发出的凭证：
devnet-try-request = 5. 让公积金中心再次提出请求（答复中有链接）：
devnet-try-present = 2. 查看谁在索要什么，再作决定：
devnet-try-history = 3. 查看共享记录：
devnet-try-case = 6. 用独立实现的验证程序复核离线核验的那次出示（需 Python 3 及 cryptography 包）：
devnet-stopping = 正在停止……
devnet-help-about = 整个环境在一台机器上：一个账本、四个签发部门、一项验证服务和一个钱包。先走完第一份凭证的旅程，再保持运行，供亲手尝试
devnet-help-service = 只运行一项服务，直到标准输入关闭或被要求停止
devnet-help-service-kind = 哪一项服务
devnet-help-crash = 在负载下随机强制终止各进程，并检查已确认的内容无一丢失
devnet-help-crash-rounds = 终止次数
devnet-help-crash-seed = 决定终止哪个进程以及间隔多久
devnet-help-wallet = 执行一条钱包命令
devnet-help-wallet-arguments = 钱包的命令行
devnet-crash-held =
    { $seconds } 秒内终止 { $rounds } 次（种子 { $seed }）：{ $killed }。
    全部找回：发放邀约 { $offers } 个，凭证 { $credentials } 个，核验结论 { $verdicts } 个，吊销 { $revocations } 个，账本条目 { $entries } 个。{ $unanswered } 次操作未获答复。
    已确认的内容无一丢失，无一重复，每次启动均成功，账本数据完好。
devnet-help-faults = 在负载下强制终止、暂停并清空多个验证节点（默认四个，或由 --validators 指定）账本的各节点，检查账本从不分叉、已确认的内容无一丢失、并能继续运行。需以 --features simplex 构建
devnet-help-faults-rounds = 故障轮数，每轮一次
devnet-help-faults-seed = 决定发生哪些故障、针对哪些节点以及何时发生
devnet-crash-one-ledger = crash 针对只有一个账本节点的环境。请去掉 --validators；若要考验多个验证节点，请用：devnet --validators N faults
devnet-faults-begins = { $validators } 个账本节点，负载下 { $rounds } 轮故障（种子 { $seed }），数据位于 { $directory }
devnet-faults-round = { $round }/{ $rounds }  { $fault }：{ $nodes }，{ $lasting }。恢复后 { $progress } 各节点均已继续；迄今确认交易 { $acknowledged } 笔，无一丢失
devnet-fault-kill = 强制终止
devnet-fault-halt = 强制终止至不足法定数
devnet-fault-kill-all = 全部强制终止
devnet-fault-pause = 暂停
devnet-fault-stop = 正常停止
devnet-fault-wipe = 清空数据
devnet-help-faults-namespaces = 改为切断节点间的网络；各节点运行于名为“前缀加序号”的网络命名空间中，由 conformance/partitions.sh 建立
devnet-fault-halves = 网络对半分裂
devnet-fault-minority = 一个节点被隔离
devnet-fault-one-way = 一个节点单向失联
devnet-fault-flapping = 网络时断时续
devnet-faults-emptied = 数据被清空的节点重新执行整个日志并认证新内容所需时间：中位数 { $median }，最慢 { $max }。
devnet-faults-held =
    { $validators } 个账本节点，{ $seconds } 秒内 { $rounds } 轮（种子 { $seed }）：{ $faults }。
    已确认交易 { $acknowledged } 笔，每一笔在每个节点上均有位置证明；{ $unanswered } 次尝试未获答复。见到已认证的账本头 { $heads } 个，没有分叉。
    恢复后，数据未丢失的各节点全部认证新内容所需时间：中位数 { $median }，百分之九十九不超过 { $p99 }，最慢 { $max }；超过目标 { $aim } 秒的有 { $slower } 轮。
    每次启动均成功，各节点数据完好，最终账本头一致。
devnet-help-any-once = 旅程走完即退出；仅当每一步都成立时状态为 0
devnet-help-any-json = 以一个 JSON 对象输出旅程结果，为标准输出的最后一行
devnet-help-any-data = 将所有数据保存在此目录，下次从停下处继续 [默认：临时目录]
devnet-help-any-procs = 每项服务各用一个进程运行
devnet-help-any-validators = 共同排序的账本节点数量，各为独立进程；隐含 --procs；最多七个
devnet-help-any-plain = 以 HTTP 代替 HTTPS，用于调试
devnet-help-any-port-base = 所监听的六个连续端口中的第一个
devnet-help-any-subjects = 每个部门数据表中的样本数量
verifier-no-command = 请指明要做什么：init、run、keys 或 replay。--help 有说明。
verifier-help-about = 按 OpenID4VP 1.0 请求出示，并在不询问任何一方的情况下作出判定
verifier-help-audit = 在服务停止时检查审计日志
verifier-help-audit-act = 要做的事：通读日志，并说明其是否与写入时一致
verifier-help-init = 生成服务密钥与其 DID 的创建文件；重复执行不会改变什么
verifier-help-protect = 用配置中指定的口令加密密钥文件
verifier-help-run = 提供服务，直到收到 Ctrl-C 或 SIGTERM
verifier-help-replay = 在服务停止时，依据保存的证据重新判定一个案例
verifier-help-init-keys = 密钥目录，各文件权限为 0600
verifier-help-init-chain = DID 所属链的名称
verifier-help-init-url = 钱包访问本服务的基础地址
verifier-help-init-name-en = 服务的英文公开名称
verifier-help-init-name-zh = 服务的中文公开名称
verifier-help-init-algorithm = 密钥算法
verifier-help-replay-request = 请求的编号
keys-not-encrypted = { $place } 中的密钥未加密：能读取此磁盘者即可签名。如需加密，请设置 key_passphrase_file 或 key_passphrase_command，然后执行 `protect`。
keys-protected = 已加密 { $count } 个密钥文件。磁盘上明文的残留超出本程序所能；若有影响，请更换密钥。
store-migrated = 已复制到 { $engine }：共 { $entries } 项，回读比对一致（SHA-256 { $digest }）。
store-migrate-dropped = 上一次迁移中断后留下了 { $draft }，已丢弃并重新开始。
store-migrate-finished = 上一次迁移中断后留下了 { $draft }，其内容完整且有效，现已改为正式名称。
store-migrated-next = 现在请在 { $config } 中设置 store = "{ $engine }" 并启动服务。旧存储是 { $kept }，确认无误后可将其删除。
founding-made = 已生成 { $did }。请将 { $create } 交给联盟创始方，或由成员代为提交。请将 { $recovery } 移到安全之处：持有它的人可以控制该 DID。
verifier-serves = xinfu-verifier 正在 { $url } 提供服务，按 Ctrl-C 停止。
verifier-failed = xinfu-verifier：{ $reason }
verifier-agrees = 结论一致：当时 { $then }，现在 { $again }。
verifier-disagrees = 结论不一致：当时 { $then }，现在 { $again }。
help-usage = 用法：
help-commands = 命令
help-options = 选项
help-arguments = 参数
help-any-help = 显示本帮助
help-any-version = 显示版本
help-any-lang = 文字与消息的语言：en 或 zh [默认：随终端]
help-any-config = 配置文件；--print-config 可打印一份作为起点
help-any-print-config = 打印带注释、含全部默认值的配置文件后退出
help-migrate = 将服务的数据迁移到另一种存储，须先停止服务
help-migrate-to = 数据要迁入的存储：redb；或 sled，须是带有它编译的程序
help-completions = 打印在 shell 中补全本程序命令和选项的脚本
help-completions-shell = 所用的 shell：bash、zsh 或 fish
help-man = 写出中文和英文的手册页
help-man-dir = 写入此目录之下：英文在 man1，中文在 zh_CN/man1
help-man-heading-name = 名称
help-man-heading-synopsis = 用法
help-man-heading-description = 说明
help-man-heading-exit = 退出状态
help-man-heading-version = 版本
help-fault = 无法理解命令行：{ $detail }
help-fault-command = 没有命令 `{ $detail }`
help-fault-no-command = 缺少命令
help-fault-option = 没有选项 `{ $detail }`
help-fault-missing = 缺少：{ $detail }
help-fault-conflict = `{ $detail }` 不能与另一选项同时使用
help-fault-value = { $detail } 的值不可用
help-fault-likely = ；是否想用 `{ $detail }`
help-fault-hint = 请运行 `{ $program } --help`。

issuer-help-about = 按 OpenID4VCI 1.0 签发凭证，并将其摘要存证上链
issuer-help-audit = 在服务停止时检查审计日志
issuer-help-audit-act = 要做的事：通读日志，并说明其是否与写入时一致
issuer-help-init = 生成部门密钥与其 DID 的创建文件；重复执行不会改变什么
issuer-help-protect = 用配置中指定的口令加密密钥文件
issuer-help-run = 提供服务，直到收到 Ctrl-C 或 SIGTERM
issuer-help-import = 在服务停止时导入主体表；列出有误的行，保留正确的行
issuer-help-init-chain = DID 所属链的名称
issuer-help-init-algorithm = 密钥算法
issuer-help-import-kind = 此表的凭证类型（部门签发多种时必填）
issuer-help-import-table = 主体表：UTF-8 编码的 CSV，首行为列名

issuer-no-command = 请指明要做什么：init、run、keys 或 import。--help 有说明。
issuer-failed = xinfu-issuer：{ $reason }
issuer-running = 签发服务 { $url } 正在监听 { $listening }。
issuer-stopped = 签发服务已停止。
issuer-which-type = 请用 --type 指明此表对应的凭证类型：{ $types }
issuer-import-fault = 第 { $line } 行，{ $column } 列：{ $reason }
issuer-imported = 已导入 { $imported } 行，拒绝 { $refused } 行。
# ---- ledger ----
ledger-founded =
    账本链已创建。
      标识    { $origin }
      运营方  { $operator }
      信任根  { $trust_root }
    下一步：xinfu-ledger run --config { $config }
    请把 { $recovery } 移到安全的地方：持有它的人可以控制运营方的 DID。
ledger-founded-other = 然后启动其余各验证节点：xinfu-ledger run --config { $config }
ledger-joined =
    节点已建立。
      部门        { $did }
      创建声明    { $create }
      验证节点    { $validator }
    下一步：xinfu-ledger run --config { $config }
    节点将跟随各成员的节点。由一个成员提议接纳该部门：xinfu-ledger propose admit --subject DID --name 名称 --validator validator.json，再由其他成员批准。
ledger-prepared =
    新密钥已备好，与在用的密钥放在一起；其公钥写在 { $validator }。
    下一步：xinfu-ledger propose validator --subject DID --validator { $validator }，再由其他成员批准。节点会自行启用新密钥；之后请把每个 NAME.next.jwk 改名为 NAME.jwk。
ledger-running = 账本节点正在监听 { $url }，按 Ctrl-C 停止。
ledger-certified = 已认证，日志索引为 { $index }。
ledger-stopping = 正在停止：先完成已接收的交易。
ledger-no-command = 请指明要做什么，例如 init 或 run；--help 说明每个命令
ledger-failed = xinfu-ledger：{ $reason }
ledger-wrong-no-config = { $path } 不存在；--print-config 可打印一份起始配置
ledger-wrong-key = { $path }：未知的配置项 `{ $key }`，最接近的是 `{ $nearest }`
ledger-wrong-in-use = { $directory } 正被 { $holder } 使用
ledger-wrong-no-directory = { $directory } 不存在：请创建该目录或更正路径
ledger-wrong-port = { $ip } 的端口 { $port } 已被占用
ledger-wrong-no-genesis = 无法读取创世文件 { $path }
ledger-wrong-keys = 日志密钥和见证密钥不属于创世文件中的同一验证者
ledger-wrong-exists = { $directory } 中已有账本链，请选择其他目录
ledger-wrong-prepared = { $path } 已存在：如果账本已启用这些密钥，请把每个 NAME.next.jwk 改名为 NAME.jwk；如果成员未批准，请删除它们
ledger-wrong-unknown-keys = 创世文件和配置旁的 validator.json 都没有写明使用这些密钥的验证节点
ledger-wrong-chain-name = `{ $name }` 不能作为链的名称：须为 1 至 32 个小写字母、数字或连字符
ledger-wrong-founder = { $who } 的创建声明被拒绝：{ $why }
ledger-wrong-refused = 账本拒绝（{ $code }）：{ $title }。{ $remedy }
ledger-help-about = 运行信符账本节点：为交易排序、执行、认证，并提供日志服务
ledger-help-init = 创建账本链：在新目录中生成密钥、创世文件、信任根和配置
ledger-help-join = 为已有的链建立一个节点：密钥、配置，以及成员接纳它所需的文件
ledger-help-prepare = 为本验证节点预备今后的密钥，与在用的密钥放在一起
ledger-help-protect = 用配置中指定的口令加密密钥文件
ledger-help-run = 提供服务，直到收到 Ctrl-C 或 SIGTERM
ledger-help-fsck = 检查未运行节点的全部数据，并指出第一处错误
ledger-help-accredit = 以运营方身份：在运行中的链上授权成员
ledger-help-end-accreditation = 以运营方身份：提前终止一项授权
ledger-help-trust-root = 打印由创世文件得出的信任根（C2SP tlog-policy 文件）
ledger-advanced = 信任根现为最新一组验证节点（{ $policy }），它们在 { $seconds } 秒前认证了 { $size } 条日志。
ledger-convicted = 证据成立：{ $culprits } 为 { $size } 条日志签署了两份不同的历史。
ledger-help-propose = 以运营方身份：提议接纳或开除成员，或变更其验证节点
ledger-help-propose-what = admit 接纳，expel 开除，validator 重新指定或移除其验证节点
ledger-help-propose-name = 要接纳的成员的名称
ledger-help-propose-validator = JSON 文件，含其验证节点的名称和公钥，格式同创世文件
ledger-help-propose-days = 提案可被同意的天数
ledger-help-approve = 以运营方身份：同意一项提案
ledger-help-withdraw = 以运营方身份：撤回同意，或撤回自己的提案
ledger-help-any-proposal = 提案编号：propose 打印的日志索引
ledger-help-accuse = 以运营方身份：将指控验证节点的证据提交账本，使其被暂停
ledger-help-any-file = 证据：JSON 文件，以 `one` 和 `other` 给出两个已签名的检查点
ledger-help-trust = 更新信任根：凭证明推进到最新一组验证节点
ledger-help-trust-act = 要做什么：advance 表示推进
ledger-help-any-trust = 信任根（C2SP tlog-policy 文件），其年龄记录在旁边的文件中
ledger-help-trust-nodes = 成员节点的地址；信任根过旧时须给出两个不同成员的节点
ledger-help-trust-handed-over = 信任根是刚刚从可信的人处得到的
ledger-help-evidence = 核对验证节点签署两份不同历史的证据，无需节点
ledger-help-evidence-act = 要做什么：verify 表示仅凭文件核对
ledger-help-init-dir = 要创建的目录
ledger-help-init-chain = 链的名称：小写字母、数字和连字符
ledger-help-init-operator = 运营节点的部门名称，它将成为创世授权方
ledger-help-init-members = 另一创始成员：名称及其自己的创建声明文件；可重复
ledger-help-init-url = 节点的公开 https 地址，写入运营方的 DID 文档
ledger-help-init-listen = 监听的地址和端口
ledger-help-init-certificate = 证书链（PEM）；不提供则使用明文 HTTP
ledger-help-init-key = 证书的私钥（PEM）
ledger-help-init-validators = 共同排序的验证节点数量；每个节点各有一个目录 node0、node1……
ledger-help-init-peer = 其他验证节点连接某节点的地址；按顺序逐个重复给出 [默认：从 127.0.0.1:9460 起的端口]
ledger-help-join-genesis = 链的创世文件
ledger-help-join-name = 验证节点的名称；从未被使用过
ledger-help-join-operator = 运行该节点的部门名称
ledger-help-join-peer = 其他验证节点连接本节点的地址；不给出则只能跟随
ledger-help-join-nodes = 要跟随的成员节点地址；可重复。由第一个把该部门的 DID 送上账本
ledger-help-join-url = 节点的公开 https 地址，写入该部门的 DID 文档
ledger-help-join-listen = 监听的地址和端口
ledger-help-join-certificate = 证书链（PEM）；不给出则使用明文 HTTP
ledger-help-join-key = 证书的私钥（PEM）
ledger-help-prepare-peer = 其他验证节点今后连接本节点的地址[默认：现有地址]
ledger-help-trust-root-genesis = 创世文件
ledger-help-any-dir = init 创建的目录
ledger-help-any-node = 运行中节点的地址，默认取自配置
ledger-help-any-ca = 节点证书的签发机构（PEM），默认使用系统的
ledger-help-any-subject = 成员的 DID
ledger-help-accredit-role = 它可以做什么
ledger-help-accredit-types = 凭证类型（vct）；可重复
ledger-help-accredit-claims = 验证方：可请求的数据项，各级以点连接（address.region）；可重复
ledger-help-accredit-purposes = 可用于请求的用途；可重复
ledger-help-accredit-days = 自现在起的有效天数
ledger-help-accredit-delegable = 允许该成员在此范围内授权他人
ledger-help-end-accreditation-accreditation = 授权编号：accredit 打印的日志索引
ledger-sound = 数据完好：至第 { $height } 块共 { $entries } 条日志，{ $items } 项状态，根为 { $root }。

keys-not-yet = 该 DID 尚未登记到账本。
keys-settled = 已启用 { $keys }：账本记载了它，且其文件就在此处。
keys-unchecked = 未能与账本核对密钥：{ $reason }
keys-recovery-here = { $file } 仍与工作密钥放在一起。请移到安全之处：持有它的人可以控制该 DID。
keys-replaced = { $key } 已于日志序号 { $index } 接替。请重新启动服务，此后用新密钥签名。
keys-reported = { $key } 自日志序号 { $index } 起视为失窃。此前已锚定的内容依然有效。
keys-registered = 请求密钥已于日志序号 { $index } 按指纹登记。
keys-registered-before = 请求密钥此前已登记。
keys-recovered = 已于日志序号 { $index } 恢复：此前的密钥全部终止。请将 { $key } 移到安全之处，并销毁用过的恢复密钥。请检查该 DID 的服务与授权。
keys-deactivated = { $key } 已于日志序号 { $index } 永久停用。
keys-line-current = { $key }  { $use }  自 { $from } 起有效
keys-line-ended = { $key }  { $use }  自 { $from } 起，至 { $end } 终止
keys-line-reported = { $key }  { $use }  自 { $from } 起，于 { $end } 报告失窃
help-keys = 在服务停止时查看、更换、报失、登记或恢复 DID 的密钥
help-keys-act = 要做什么：show（查看）、rotate（更换）、report-compromised（报失）、register（登记，仅验证方）、recover（恢复）或 deactivate（停用）
help-keys-which = 更换哪个密钥：签署服务内容的（signing），或签署账本交易的（submitting）
help-keys-key = 失窃的密钥，用 `keys show` 给出的名称；仍在使用的会先更换
help-keys-recovery-key = 恢复密钥的文件
help-keys-next-recovery-key = 下一个恢复密钥写到何处；用过的恢复密钥不再有任何作用
help-keys-did = 再次写明该 DID，以永久停用
audit-holds = 共 { $lines } 行，均与写入时一致。请将此摘要另行记录：{ $digest }
