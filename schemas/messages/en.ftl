# English messages. Ids are prefixed by room; zh-CN.ftl has the same ids and variables.
